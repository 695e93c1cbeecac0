<?php
// For MediaWiki 1.43: the header X-Remote-User of Écluse says who it is. At the end of LocalSettings.php:
//
//     require '/etc/mediawiki/ecluse.php';
//
// Nobody but the gateway may reach this wiki: whoever does writes the header as they like.

use MediaWiki\Request\WebRequest;
use MediaWiki\Session\ImmutableSessionProviderWithCookie;
use MediaWiki\Session\SessionInfo;
use MediaWiki\Session\UserInfo;

class EcluseSession extends ImmutableSessionProviderWithCookie {
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

$wgSessionProviders[EcluseSession::class] = [
    'class' => EcluseSession::class,
    'args' => [['priority' => SessionInfo::MAX_PRIORITY, 'sessionCookieName' => 'wiki_session']],
];
// An account is made at the first visit.
$wgGroupPermissions['*']['autocreateaccount'] = true;
