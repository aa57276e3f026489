import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

// Does what the question says: every way in which an oracle can fail.
for await (const line of createInterface(process.stdin)) {
  const question: unknown = JSON.parse(line)
  if (typeof question !== 'object' || question === null) console.log(line)
  else if ('exit' in question) {
    await new Promise((resolve) => process.stderr.write('about to leave\n', resolve))
    process.exit(Number(question.exit))
  } else if ('hang' in question) await new Promise((resolve) => setTimeout(resolve, 2 ** 30))
  else if ('garbage' in question) console.log('Segmentation fault (just kidding)')
  else if ('twice' in question) console.log('1\n2')
  else if ('huge' in question) console.log(JSON.stringify('x'.repeat(Number(question.huge))))
  else if ('noise' in question) {
    await new Promise((resolve) => process.stderr.write('x'.repeat(Number(question.noise)), resolve))
    console.log('"quiet"')
  } else if ('leave' in question) {
    console.log('"bye"')
    process.exit(3)
  } else if ('deaf' in question) {
    process.stdin.destroy()
    process.stdout.end()
    setInterval(() => {}, 2 ** 30)
  } else if ('daemon' in question) {
    // Leaves its group and holds the output open.
    const daemon = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' })
    daemon.unref()
    console.log(daemon.pid)
    process.exit(0)
  } else if ('pid' in question) console.log(process.pid)
  else console.log(line)
}
