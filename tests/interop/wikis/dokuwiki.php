<?php
// Before each of its scripts (auto_prepend_file): a wiki of its own, which writes whole addresses as it knows itself.

define('DOKU_CONF', FOLDER . '/conf/');
