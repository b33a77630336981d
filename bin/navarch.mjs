#!/usr/bin/env node
// Plain JavaScript on purpose: an unsuitable Node.js must get as far as saying so.
import module from 'node:module';
import process from 'node:process';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`navarch needs Node.js 22.18 or newer; this is ${process.version} (${process.execPath}).\n`);
  process.exit(1);
}
// What was compiled once is kept: commands start in two thirds of the time.
module.enableCompileCache();
const { main } = await import('../dist/navarch.mjs');
process.exitCode = await main(process.argv.slice(2), process.argv[1]);
// The command is over. A connection that somebody forgot to close must not keep the process: a timer that is not waited for
// runs only if something else is.
setTimeout(() => process.exit(), 2000).unref();
