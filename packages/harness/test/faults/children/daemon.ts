import { spawn } from 'node:child_process'

// Leaves a process behind that has left its group and holds its output open.
const daemon = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' })
daemon.unref()
console.log(`daemon ${daemon.pid}`)
