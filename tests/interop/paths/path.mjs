// The path as programs of Node read it, in hexadecimal.
import {createServer} from 'node:http';

createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
  response.end(Buffer.from(path).toString('hex'));
}).listen(Number(process.argv[2]), '127.0.0.1');
