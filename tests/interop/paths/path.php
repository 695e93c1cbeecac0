<?php
// The path by which PHP's own server has looked for a file, in hexadecimal.
echo bin2hex($_SERVER['SCRIPT_NAME']);
