// Beats every few milliseconds, starts a process of its own that beats too, and answers messages.
import { spawn } from 'node:child_process'

if (process.argv[2] === 'ignoring-sigterm') process.on('SIGTERM', () => console.log('SIGTERM ignored'))
const beatEvery = `let n = 0; setInterval(() => console.log('NAME', ++n), 5)`
const below = spawn(process.execPath, ['-e', beatEvery.replace('NAME', 'below')], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
let beats = 0
setInterval(() => console.log('beat', ++beats), 5)
process.on('message', (message) => process.send?.({ echo: message }))
console.log('ready', below.pid)
