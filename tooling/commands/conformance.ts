import { runFrontEnd } from '../front-end.ts'

await runFrontEnd({
  command: 'conformance',
  entry: 'test/conformance/port.ts',
  usage: '[file…]',
  purpose: 'Answers JSON lines of the files, or of standard input, one line each.',
  all: false,
})
