import { app } from './app.ts'

// A reader that has seen enough (`| head`) ends the run.
process.stdout.on('error', () => process.exit(1))

const status = await app.run(process.argv.slice(2))
// What an interrupt left unfinished (a file half read) must not hold the process.
if (process.exitCode === 130) process.exit()
process.exitCode ||= status
