import { expect, test } from 'vitest'
import { scalar } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { Log } from './log.ts'

function setUp() {
  const written: string[] = []
  const to = (name: string) => (text: string) => void written.push(`${name} ${text}`)
  const log = new Log({
    clock: () => new Date(2026, 0, 2, 3, 4, 5, 6).getTime(),
    out: to('out'),
    err: to('err'),
    resolve: (path) => `/job/${path}`,
    files: {
      makeFolder: () => undefined,
      writeFolder: () => undefined,
      writeFile: () => undefined,
      openLog: (path, truncate) => {
        to('open')(`${path}${truncate ? ' anew' : ''}\n`)
        return { write: to(path), close: () => to('close')(`${path}\n`) }
      },
      read: () => undefined,
      isFolder: () => false,
      list: () => [],
    },
  })
  return { log, written }
}

const no = scalar(false)
const two = parseYaml(`
formatters: {short: {format: '%(levelname)-8s|%(name)s|%(log_color)s%(message)s', datefmt: '%H'}}
handlers:
  console: {class: logging.StreamHandler, stream: ext://sys.stdout, formatter: short, level: ERROR}
  file: {class: logging.FileHandler, filename: a.log, mode: w}
root: {level: WARNING, handlers: [console, file]}
loggers: {app.noisy: {level: DEBUG}}
`)

test('levels of loggers and of handlers decide who hears what', () => {
  const { log, written } = setUp()
  log.configure(two, no)
  log.logger('app').info('unheard')
  log.logger('app').error('loud')
  log.logger('app.noisy.part').debug('heard')
  log.close()
  expect(written).toEqual([
    'open /job/a.log anew\n',
    'out ERROR   |app|loud\n',
    '/job/a.log loud\n',
    '/job/a.log heard\n',
    'close /job/a.log\n',
  ])
})

test('root: null leaves all as it was; another configuration replaces it', () => {
  const { log, written } = setUp()
  log.configure(two, no)
  log.configure(parseYaml('root: null'), no)
  log.logger('app').warning('one')
  log.configure(parseYaml('root: {level: ERROR}'), no)
  log.logger('app').error('nobody writes it')
  expect(written).toEqual(['open /job/a.log anew\n', '/job/a.log one\n', 'close /job/a.log\n'])
})

test('hydra.verbose lets everything through, or what one logger has to say', () => {
  const { log } = setUp()
  log.configure(two, scalar('app'))
  expect([log.isEnabled('app', 'DEBUG'), log.isEnabled('other', 'DEBUG')]).toEqual([true, false])
  log.configure(two, scalar(true))
  expect(log.isEnabled('other', 'DEBUG')).toBe(true)
  expect(() => log.configure(two, scalar(1n))).toThrow(/hydra.verbose must be .*, received 1$/)
  expect(() => log.configure(two, undefined)).toThrow(/received null$/)
})

test('a handler of another class is left out, and told of', () => {
  const { log, written } = setUp()
  log.configure(
    parseYaml('handlers: {mail: {class: logging.handlers.SMTPHandler}}\nroot: {handlers: [mail]}'),
    no,
  )
  log.logger('app').error('unheard')
  expect(written).toEqual([
    "err UserWarning: the log handler 'mail' of class 'logging.handlers.SMTPHandler' is left out\n",
  ])
})
