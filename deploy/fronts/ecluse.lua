-- Asks Écluse about a request before HAProxy passes it on (haproxy.cfg). `txn.ecluse` is "allowed" then, and in no other
-- case: an error of any kind, and Écluse decides on the request itself.

local ECLUSE = "http://127.0.0.1:8080/_ecluse/authz/haproxy"
local SECRET = "WRITE-THE-SECRET-HERE"
local TIMEOUT = 5000 -- milliseconds

-- Lines between HAProxy and Écluse, which say nothing of the browser's request.
local OURS = {
    ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
    ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
    ["x-ecluse-front"] = true, ["x-original-method"] = true, ["x-original-uri"] = true,
}
-- Lines of the answer that are not for the application.
local OF_THE_ANSWER = {
    ["cache-control"] = true, ["connection"] = true, ["content-length"] = true, ["date"] = true,
    ["strict-transport-security"] = true, ["x-ecluse-remove"] = true,
}

local function question(txn)
    local lines = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not OURS[name] then
            local list = {}
            for index = 0, #values do list[#list + 1] = values[index] end
            lines[name] = list
        end
    end
    lines["host"] = { txn.f:req_fhdr("host") }
    lines["x-ecluse-front"] = { SECRET }
    lines["x-original-method"] = { txn.f:method() }
    lines["x-original-uri"] = { txn.f:pathq() }
    local upgrade = txn.f:req_fhdr("upgrade")
    if upgrade and upgrade ~= "" then
        lines["upgrade"] = { upgrade }
        lines["connection"] = { "upgrade" }
    end
    return lines
end

core.register_action("ecluse", { "http-req" }, function(txn)
    txn:set_var("txn.ecluse", "refused")
    local answer = core.httpclient():get { url = ECLUSE, headers = question(txn), timeout = TIMEOUT }
    if not answer or answer.status ~= 200 then return end
    for _, names in pairs(answer.headers["x-ecluse-remove"] or {}) do
        for name in names:gmatch("[^, ]+") do txn.http:req_del_header(name) end
    end
    for name, values in pairs(answer.headers) do
        if not OF_THE_ANSWER[name] then
            -- Whatever the client sent by this name.
            txn.http:req_del_header(name)
            if values[0] ~= "" then txn.http:req_add_header(name, values[0]) end
        end
    end
    txn:set_var("txn.ecluse", "allowed")
end)
