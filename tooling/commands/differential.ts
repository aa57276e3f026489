import { runFrontEnd } from '../front-end.ts'

await runFrontEnd({
  command: 'differential',
  entry: 'test/differential/main.ts',
  usage: '[--seed N] [--runs N]',
  purpose: 'Compares the package with the real systems on random cases and records its evidence.',
  all: true,
})
