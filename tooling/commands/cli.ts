import { runFrontEnd } from '../front-end.ts'

await runFrontEnd({
  command: 'cli',
  entry: 'src/cli.ts',
  usage: '[argument…]',
  purpose: 'Runs the command of the package from its sources.',
  all: false,
})
