<?php
// Behind the settings that MediaWiki's installer writes: X-Remote-User says who it is, as by the extension Auth_remoteuser.

use MediaWiki\Request\WebRequest;
use MediaWiki\Session\ImmutableSessionProviderWithCookie;
use MediaWiki\Session\SessionInfo;
use MediaWiki\Session\UserInfo;

class RemoteUserSession extends ImmutableSessionProviderWithCookie {
    public function provideSessionInfo(WebRequest $request) {
        $name = $request->getHeader('X-Remote-User');
        if ($name === false) {
            return null;
        }
        return new SessionInfo($this->priority, [
            'provider' => $this,
            'id' => $this->getSessionIdFromCookie($request),
            'userInfo' => UserInfo::newFromName($name, true),
            'persisted' => true,
        ]);
    }
}

$wgSessionProviders[RemoteUserSession::class] = [
    'class' => RemoteUserSession::class,
    'args' => [['priority' => SessionInfo::MAX_PRIORITY, 'sessionCookieName' => 'wiki_session']],
];
$wgGroupPermissions['*']['autocreateaccount'] = true;
$wgMainCacheType = CACHE_NONE;
$wgShowExceptionDetails = true;
