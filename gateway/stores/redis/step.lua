-- One step on the store, done as a whole: what is asked, then its operands. gateway/stores/redis/steps.py calls it.
--
-- One server has all keys: then there are no KEYS, and no tag. In a cluster every key of a step has its tag in braces,
-- and KEYS names the store of that tag. ARGV: prefix, tag, whether seats leave tombstones; the server's run, an epoch for
-- a new store, the release's version of what is kept, the epoch that the caller remembers (for ops.meet, which is the
-- first thing done in a cluster); then operations: the name, the number of operands, the operands. Times are Unix seconds.
-- The reply: {0, how many operations are done} where the condition of the next did not hold, else {1, what was read}.

local PREFIX, TAG, BURY = ARGV[1], ARGV[2], ARGV[3] == '1'
local PARALLEL_TABS, TOMBSTONE_KEPT, NOTE_KEPT = 5, 43200, 86400
local PURGED_AT_ONCE, LOOKED_AT = 500, 10
local call, pack, unpack_struct = redis.call, struct.pack, struct.unpack

local found = {}

local function key(tag, rest) return PREFIX .. '{' .. tag .. '}' .. rest end
local function joined(text) return pack('>I4c0', #text, text) end
local function lasts(name, seconds) call('EXPIRE', name, math.max(1, seconds)) end
local function list_of(shard) return TAG ~= '' and shard or 'all' end
local STORE = TAG ~= '' and key(TAG, 'store') or key('store', '')

-- What is not as we write it is nothing: no record of one person may hold up the step of another.
local function read_of(format, record, at, ...)
    local done = { pcall(unpack_struct, format, record, at) }
    if done[1] then return unpack(done, 2) end
    return ...
end
local function text_at(record, at) return (read_of('>I4c0', record, at, '')) end

-- What every session and seat begins with: created, expires, idle, ends.
local function limits(record) return read_of('>I8I8I8I8', record, 1, 0, 0, 0, 0) end
local function with_limits(record, expires, ends)
    return string.sub(record, 1, 8) .. pack('>I8', expires) .. string.sub(record, 17, 24) .. pack('>I8', ends)
        .. string.sub(record, 33)
end

local function sessions_key(shard, id) return key(shard, 's:' .. id) end
local function stones_key(shard, id) return key(shard, 'b:' .. id) end
-- A session has three of them: half of a keyed hash of 32 bytes is as good, and a key of 29 bytes takes half the room.
local INDEX_KEYS = { subject = 'ip:', sid = 'is:', browser = 'ib:' }
local function index_key(shard, kind, value) return key(shard, INDEX_KEYS[kind] .. string.sub(value, 1, 16)) end

-- provider, tenant, subject, sid, browser
local function indexed(record) return read_of('>I4c0I4c0I4c0I4c0I4c0', record, 33, '', '', '', '', '') end

local function read_live(shard, id, now)
    local record = call('HGET', sessions_key(shard, id), 'm')
    if not record then return nil end
    local _, expires, idle, ends = limits(record)
    if ends <= now then return nil end
    return record, expires, idle, ends
end

-- A server that is full refuses what takes room, unless the script has written before: deleting what is not there is
-- enough. So what ends something is never refused for want of room.
local function take_room_kept(tag) call('DEL', key(tag, 'none')) end

local function append_end(shard, id, lookup, at)
    local list = list_of(shard)
    call('RPUSH', key(list, 'ended'), pack('>I8', at) .. joined(id) .. lookup)
    if TAG ~= '' then call('HINCRBY', STORE, 'ends', 1) end
    call('PUBLISH', PREFIX .. 'ended', list)
end

-- --- sessions and seats

local function bury(shard, id, field, record, rest)
    if not BURY then return end
    local created, expires, _, ends = limits(record)
    call('HSET', stones_key(shard, id), field, pack('>I8', ends) .. rest)
    if call('TTL', stones_key(shard, id)) < 0 then
        lasts(stones_key(shard, id), expires - created + TOMBSTONE_KEPT)
    end
end

local function keep_session(shard, id, record, now)
    local _, _, _, ends = limits(record)
    call('HSET', sessions_key(shard, id), 'm', record)
    lasts(sessions_key(shard, id), ends - now)
    local _, tenant, subject = indexed(record)
    bury(shard, id, '', record, joined(subject) .. tenant)
    if BURY then lasts(stones_key(shard, id), ends + TOMBSTONE_KEPT - now) end
end

local function move_session(shard, id, record, at)
    local _, expires, idle, ends = limits(record)
    local moved = math.max(ends, math.min(expires, at + idle))
    if moved > ends then keep_session(shard, id, with_limits(record, expires, moved), at) end
end

local function keep_seat(shard, id, lookup, record)
    call('HSET', sessions_key(shard, id), 't' .. lookup, record)
    bury(shard, id, lookup, record, text_at(record, 33))
end

local function end_seat(shard, id, lookup, host, now)
    local record = call('HGET', sessions_key(shard, id), 't' .. lookup)
    if not record then return end
    local created, expires, _, ends = limits(record)
    local at = math.min(expires, math.max(now, created + PARALLEL_TABS))
    if text_at(record, 33) == host and ends > now and expires > at then
        keep_seat(shard, id, lookup, with_limits(record, at, math.min(ends, at)))
        append_end(shard, id, lookup, at)
    end
end

local function add_seat(shard, id, lookup, record, browsers, now)
    local host = text_at(record, 33)
    for _, browser in ipairs(browsers) do
        for _, other in ipairs(call('SMEMBERS', index_key(shard, 'browser', browser))) do
            for _, field in ipairs(call('HKEYS', sessions_key(shard, other))) do
                if string.sub(field, 1, 1) == 't' then end_seat(shard, other, string.sub(field, 2), host, now) end
            end
        end
    end
    keep_seat(shard, id, lookup, record)
end

-- An index lasts as long as the session in it that may last longest. Of those that are gone, some are found each time
-- that one is added: however many one person has, a step looks at a few.
local function file(shard, kind, value, id, seconds)
    local name = index_key(shard, kind, value)
    for _, other in ipairs(call('SRANDMEMBER', name, LOOKED_AT)) do
        if call('EXISTS', sessions_key(shard, other)) == 0 then call('SREM', name, other) end
    end
    call('SADD', name, id)
    lasts(name, math.max(seconds, call('TTL', name)))
end

-- --- tickets: the bounds of a kind and of each group are sorted sets, by when each was put

local function bounds_of(kind, group)
    if TAG ~= '' then return key(TAG, 'g:' .. kind .. ':' .. group), key(TAG, 'a:' .. kind) end
    return key('g:' .. kind .. ':' .. group, ''), key('a:' .. kind, '')
end

-- Under the epoch: of what was put before the server was started again, nobody knows whether it was taken.
local function epoch() return call('HGET', STORE, 'epoch') or '' end
local function ticket_key(shard, kind, lookup) return key(shard, 't:' .. epoch() .. ':' .. kind .. ':' .. lookup) end

-- The whole record, which begins with when it expires and its group.
local function drop_ticket(shard, kind, lookup)
    local record = call('GET', ticket_key(shard, kind, lookup))
    if not record then return nil end
    call('DEL', ticket_key(shard, kind, lookup))
    local expires, group = read_of('>I8I4c0', record, 1, 0, '')
    for _, name in ipairs({ bounds_of(kind, group) }) do call('ZREM', name, shard .. lookup) end
    return record, expires
end

local function bound(kind, name, most)
    local over = call('ZCARD', name) - most
    if over <= 0 then return end
    for _, member in ipairs(call('ZRANGE', name, 0, over - 1)) do
        drop_ticket(string.sub(member, 1, 1), kind, string.sub(member, 2))
        call('ZREM', name, member)
    end
end

-- --- notes

local function note_member(id, host) return id .. '\0' .. host end

local function make_notes_due(shard, id)
    for _, host in ipairs(call('HKEYS', key(shard, 'n:' .. id))) do
        call('ZADD', key(shard, 'due'), 0, note_member(id, host))
    end
end

local function take_due(shard, most, now)
    local due = key(shard, 'due')
    local members = call('ZRANGEBYSCORE', due, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most)
    if #members > 0 then take_room_kept(shard) end
    for at = 1, #members, 2 do
        local id, host = string.match(members[at], '^(%Z*)%z(.*)$')
        local record = tonumber(members[at + 1]) > 0 and call('HGET', sessions_key(shard, id), 'm')
        local _, _, _, ends = limits(record or string.rep('\0', 32))
        if record and ends > now then
            -- It was used since the note was kept.
            call('ZADD', due, ends, members[at])
        else
            local note = call('HGET', key(shard, 'n:' .. id), host)
            call('ZREM', due, members[at])
            call('HDEL', key(shard, 'n:' .. id), host)
            if note then for _, part in ipairs({ id, host, note }) do found[#found + 1] = part end end
        end
    end
end

-- --- the operations: each returns false where its condition does not hold

-- A server that is full refuses what takes room, unless the step has written before: so each begins with that.

local ops = {}

-- The first of a step that only ends something.
function ops.ends(tag) take_room_kept(tag) end

function ops.take(shard, kind, lookup, now)
    local record, expires = drop_ticket(shard, kind, lookup)
    if not record or expires <= tonumber(now) then return false end
    found[#found + 1] = record
end

function ops.spend(shard, kind, lookup, now)
    local record, expires = drop_ticket(shard, kind, lookup)
    if not record or expires <= tonumber(now) then return false end
end

function ops.peek(shard, kind, lookup) found[#found + 1] = call('GET', ticket_key(shard, kind, lookup)) or nil end

local function emptied() return redis.error_reply('NEWSTORE this store was emptied') end

-- Where another store was before this one, its clock's word is taken at its latest, and of the same second is before.
local function is_older(issued, skew, born, first)
    if first == '1' then return issued < born end
    return issued - skew <= born
end

local function use_key(name)
    if TAG ~= '' then return key(TAG, 'u:' .. name) end
    return key(name, 'u')
end

function ops.unused(name, expires, issued, skew, now)
    local born, first = unpack(call('HMGET', STORE, 'born', 'first'))
    if not born then return emptied() end
    if issued ~= '' and is_older(tonumber(issued), tonumber(skew), tonumber(born), first) then return false end
    local until_then = call('GET', use_key(name))
    if until_then and (tonumber(until_then) or math.huge) > tonumber(now) then return false end
end

function ops.use(name, expires, issued, skew, now)
    local refused = ops.unused(name, expires, issued, skew, now)
    if refused ~= nil then return refused end
    call('SET', use_key(name), expires, 'EX', math.max(1, tonumber(expires) - tonumber(now)))
end

function ops.session(shard, id, record, sealed, now)
    now = tonumber(now)
    local _, expires = limits(record)
    local _, _, subject, sid, browser = indexed(record)
    keep_session(shard, id, record, now)
    call('HSET', sessions_key(shard, id), 's', sealed)
    for kind, value in pairs({ subject = subject, sid = sid, browser = browser }) do
        if value ~= '' then file(shard, kind, value, id, expires - now) end
    end
end

function ops.seat(shard, id, lookup, record, now, ...)
    now = tonumber(now)
    local session = read_live(shard, id, now)
    if not session then return false end
    move_session(shard, id, session, now)
    add_seat(shard, id, lookup, record, { ... }, now)
end

function ops.endseat(shard, id, lookup, host, now) end_seat(shard, id, lookup, host, tonumber(now)) end

function ops.revoke(shard, id, now, buried)
    append_end(shard, id, '', tonumber(now))
    local record = call('HGET', sessions_key(shard, id), 'm')
    if record then
        local _, _, subject, sid, browser = indexed(record)
        for kind, value in pairs({ subject = subject, sid = sid, browser = browser }) do
            if value ~= '' then call('SREM', index_key(shard, kind, value), id) end
        end
    end
    call('DEL', sessions_key(shard, id))
    local stone = buried == '1' and call('HGET', stones_key(shard, id), '')
    if stone then
        local ends = math.min(tonumber(now), (read_of('>I8', stone, 1, 0)))
        call('HSET', stones_key(shard, id), '', pack('>I8', ends) .. string.sub(stone, 9))
        lasts(stones_key(shard, id), TOMBSTONE_KEPT)
    else
        call('DEL', stones_key(shard, id))
    end
    make_notes_due(shard, id)
end

local function touch(shard, id, lookup, at)
    at = tonumber(at)
    local session = call('HGET', sessions_key(shard, id), 'm')
    local record = call('HGET', sessions_key(shard, id), 't' .. lookup)
    if not (session and record) then return end
    move_session(shard, id, session, at)
    local _, expires, idle, ends = limits(record)
    local moved = math.max(ends, math.min(expires, at + idle))
    if moved > ends then keep_seat(shard, id, lookup, with_limits(record, expires, moved)) end
end

function ops.touch(...) pcall(touch, ...) end

-- What was taken; where it carries a seat that its session, if it lives, is given: the session's id, record and seal.
function ops.takewithseat(shard, kind, lookup, now)
    if ops.take(shard, kind, lookup, now) == false then return false end
    local _, _, at = read_of('>I8I4c0', found[1], 1, 0, '', 1)
    if string.byte(found[1], at) ~= 0 then return end
    local carried = { read_of('>I4c0', found[1], at, '') }
    local texts, from = {}, 1
    while from <= #carried[1] do texts[#texts + 1], from = read_of('>I4c0', carried[1], from, '', #carried[1] + 1) end
    local id, seat, seat_record = texts[1], texts[2], texts[3]
    if not seat_record then return end
    local _, expires, idle, ends = limits(seat_record)
    local moved = with_limits(seat_record, expires, math.max(ends, math.min(expires, tonumber(now) + idle)))
    if ops.seat(shard, id, seat, moved, now, unpack(texts, 4)) == false then return end
    found[2], found[3], found[4] = id, unpack(call('HMGET', sessions_key(shard, id), 'm', 's'))
end

-- Of a sealed session ('s') or a jar ('j' and its host); no operand `before`: nothing was there.
function ops.replace(shard, id, field, after, now, before)
    if not read_live(shard, id, tonumber(now)) then return false end
    if (call('HGET', sessions_key(shard, id), field) or nil) ~= before then return false end
    call('HSET', sessions_key(shard, id), field, after)
end

function ops.put(shard, kind, lookup, record, life, per_group, in_all)
    if epoch() == '' then return emptied() end
    drop_ticket(shard, kind, lookup)
    local expires, group = unpack_struct('>I8I4c0', record)
    call('SET', ticket_key(shard, kind, lookup), record, 'EX', math.max(1, tonumber(life)))
    local time = call('TIME')
    local moment = time[1] * 1000000 + time[2]
    local of_group, of_all = bounds_of(kind, group)
    for _, each in ipairs({ { of_group, per_group }, { of_all, in_all } }) do
        call('ZREMRANGEBYSCORE', each[1], '-inf', string.format('%.0f', moment - life * 1000000))
        call('ZADD', each[1], string.format('%.0f', moment), shard .. lookup)
        lasts(each[1], tonumber(life))
        bound(kind, each[1], tonumber(each[2]))
    end
end

function ops.note(shard, id, host, whose, note)
    local record = call('HGET', sessions_key(shard, id), 'm')
    if not record then return end
    local created, expires, _, ends = limits(record)
    local _, _, _, _, browser = indexed(record)
    for _, other in ipairs(call('SMEMBERS', index_key(shard, 'browser', browser))) do
        local older = call('HGET', key(shard, 'n:' .. other), host)
        local of_whom = older and text_at(older, 1)
        if older and (other == id or of_whom == whose or of_whom == '') then
            call('HDEL', key(shard, 'n:' .. other), host)
            call('ZREM', key(shard, 'due'), note_member(other, host))
        elseif older then
            call('ZADD', key(shard, 'due'), 0, note_member(other, host))
        end
    end
    call('HSET', key(shard, 'n:' .. id), host, joined(whose) .. note)
    lasts(key(shard, 'n:' .. id), expires - created + NOTE_KEPT)
    call('ZADD', key(shard, 'due'), ends, note_member(id, host))
end

function ops.notes(shards, most, now)
    for shard in string.gmatch(shards, '.') do take_due(shard, math.max(0, tonumber(most) - #found / 3), tonumber(now)) end
end

local function marked(shard, name, now)
    local mark = call('GET', key(shard, 'm:' .. name))
    local number, ends = 0, 0
    if mark then number, ends = read_of('>I8I8', mark, 1, 0, 0) end
    return ends > tonumber(now) and number or 0
end

function ops.unmarked(shard, name, now)
    if marked(shard, name, now) > 0 then return false end
end

function ops.raise(shard, name, number, expires, now)
    local before = marked(shard, name, now)
    local record = pack('>I8I8', math.max(before, tonumber(number)), tonumber(expires))
    call('SET', key(shard, 'm:' .. name), record, 'EX', math.max(1, tonumber(expires) - tonumber(now)))
end

-- --- what only reads

-- id, record, then the seats (their number, each record), for each session.
local function tell_of(shard, id, now)
    local record = read_live(shard, id, tonumber(now))
    if not record then return end
    local seats = {}
    for _, field in ipairs(call('HKEYS', sessions_key(shard, id))) do
        if string.sub(field, 1, 1) == 't' then seats[#seats + 1] = call('HGET', sessions_key(shard, id), field) end
    end
    for _, part in ipairs({ id, record, seats }) do found[#found + 1] = part end
end

function ops.find(shards, kind, now, ...)
    for shard in string.gmatch(shards, '.') do
        for _, value in ipairs({ ... }) do
            for _, id in ipairs(call('SMEMBERS', index_key(shard, kind, value))) do
                tell_of(shard, id, now)
            end
        end
    end
end

function ops.summaries(shard, now, ...)
    for _, id in ipairs({ ... }) do tell_of(shard, id, now) end
end

-- `position`: where the reader stood, -1 for nowhere. Epoch, time, purged, length, then the entries.
function ops.ended(list, position)
    -- A replica would go on to answer, from what it had.
    local written = redis.pcall('DEL', key(list, 'none'))
    if type(written) == 'table' and string.find(written.err, '^READONLY') then return written end
    local time = call('TIME')
    local purged, length = tonumber(call('GET', key(list, 'purged')) or 0) or 0, call('LLEN', key(list, 'ended'))
    found = { epoch(), time[1] .. '.' .. string.format('%06d', time[2]), purged, length }
    position = tonumber(position)
    if position >= purged and position < purged + length then
        found[5] = call('LRANGE', key(list, 'ended'), position - purged, -1)
    end
end

-- --- the store itself

-- An epoch is "lineage:number:chance": a primary that takes another's place goes on with its lineage, one number later.
local function lineage_of(epoch)
    local lineage, number = string.match(epoch, '^([^:]*):(%d+):')
    return lineage or epoch, tonumber(number) or 0
end

-- A store that is new, or whose server is another one, or the same started again, may have lost what was used up.
-- It is a `first` one until somebody remembers another (`known`), or it is started again.
function ops.meet(run, new, version, known)
    local store, time = STORE, call('TIME')
    if TAG ~= '' and (tonumber(call('HGET', store, 'version')) or 0) > tonumber(version) then
        return redis.error_reply('NEWERSTORE this store is of a newer release')
    end
    local lineage, number = lineage_of(epoch())
    local known_lineage, known_number = lineage_of(known)
    -- A server that was started again while it is full is met all the same: nobody could read from it otherwise.
    if call('HGET', store, 'run') ~= run then take_room_kept(TAG) end
    if epoch() == '' then
        call('HSET', store, 'epoch', new .. ':1:' .. new, 'born', time[1], 'run', run, 'version', version, 'first', '1')
    elseif call('HGET', store, 'run') ~= run then
        if lineage == known_lineage then number = math.max(number, known_number) end
        local next_epoch = string.format('%s:%d:%s', lineage, number + 1, new)
        call('HSET', store, 'epoch', next_epoch, 'born', time[1], 'run', run, 'first', '0')
    elseif lineage == known_lineage and number < known_number then
        return redis.error_reply('OLDSTORE another server has taken the place of this one')
    end
    if known ~= '' and known ~= epoch() and call('HGET', store, 'first') ~= '0' then
        call('HSET', store, 'first', '0')
    end
    found = call('HMGET', store, 'epoch', 'born', 'version')
end

function ops.purge(list, before)
    local purged = 0
    while purged < PURGED_AT_ONCE do
        local first = call('LINDEX', key(list, 'ended'), 0)
        if not first or read_of('>I8', first, 1, 0) > tonumber(before) then break end
        call('LPOP', key(list, 'ended'))
        purged = purged + 1
    end
    if purged > 0 then call('INCRBY', key(list, 'purged'), purged) end
    found = { purged == PURGED_AT_ONCE and 1 or 0 }
end

if TAG ~= '' then
    local refused = ops.meet(ARGV[4], ARGV[5], ARGV[6], ARGV[7])
    if refused then return refused end
    found = {}
end
local at, before = 8, 0
while at <= #ARGV do
    local operands = tonumber(ARGV[at + 1])
    local done = ops[ARGV[at]](unpack(ARGV, at + 2, at + 1 + operands))
    if done == false then return { 0, before } end
    if done then return done end
    at, before = at + 2 + operands, before + 1
end
return { 1, found }
