// Lives on, with a process below it that does too, and writes nothing that a broken pipe could end.
import { spawn } from 'node:child_process'

const below = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
setInterval(() => {}, 1000)
console.log('ready', below.pid)
