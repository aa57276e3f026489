import { runFrontEnd } from '../front-end.ts'

await runFrontEnd({
  command: 'bench',
  entry: 'bench/main.ts',
  usage: '[option…]',
  purpose: 'Measures the package beside its peers in one run and records its evidence.',
  all: true,
})
