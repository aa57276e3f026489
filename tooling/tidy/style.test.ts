import { describe, expect, test } from 'vitest'
import { sourceFiles, withoutComments } from './sources.ts'

const files = sourceFiles()
const published = files.filter(
  ({ inside, package: own }) => own.pattern && inside.startsWith('src/') && !inside.endsWith('.test.ts'),
)

/** Files of more than 400 lines, each with the reason why it holds one concept all the same. */
const longFiles: Readonly<Record<string, string>> = {
  'packages/hystrix-breaker/src/compat/opossum/circuit-breaker.ts':
    'one class, all of the API that it stands in for',
}

describe('style', () => {
  test('time, randomness and the environment are taken only in ports.ts, adapters and the command', () => {
    const taken =
      /\b(?:Date\.now|new Date\(\)|performance\.now|(?<!\b(?:c|realC)lock\.)set(?:Timeout|Interval|Immediate)\((?!\w+: )|Math\.random|process\.(?:env|hrtime)|randomUUID|getRandomValues)/
    const allowed = /^src\/(?:ports\.ts|cli\.ts|cli\/|adapters\/)/
    const broken = published.flatMap(({ path, inside, text }) =>
      allowed.test(inside)
        ? []
        : withoutComments(text)
            .split('\n')
            .flatMap((line, index) =>
              taken.test(line) ? [`${path}:${index + 1} ${line.trim()}: take it from ports.ts`] : [],
            ),
    )
    expect(broken).toEqual([])
  })

  test('`export *` stands only in the umbrella', () => {
    const broken = files
      .filter(
        ({ package: own, text }) => own.folder !== 'loadbearing' && /^export \*/m.test(withoutComments(text)),
      )
      .map(({ path }) => `${path}: list the names`)
    expect(broken).toEqual([])
  })

  test('src/index.ts is a list of named exports and nothing else', () => {
    const broken = files
      .filter(({ inside, package: own }) => inside === 'src/index.ts' && own.pattern)
      .filter(
        ({ text }) =>
          withoutComments(text)
            .replaceAll(/export (?:type )?\{[^}]*\} from '[^']+';?/g, '')
            .trim() !== '',
      )
      .map(({ path }) => `${path}: only \`export { … } from '…'\``)
    expect(broken).toEqual([])
  })

  test('no file is a drawer', () => {
    const drawer = /(?:^|\/)(?:utils?|helpers?|common|manager|misc)(?:\/|\.ts$)/
    expect(
      files.filter(({ inside }) => drawer.test(inside)).map(({ path }) => `${path}: name the concept`),
    ).toEqual([])
  })

  test('file names are in kebab-case', () => {
    const kebab = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|test-d|config))?\.ts$/
    expect(files.filter(({ inside }) => !kebab.test(inside)).map(({ path }) => path)).toEqual([])
  })

  test('a file of more than 400 lines has a reason', () => {
    const long = files
      .filter(({ text, inside }) => text.split('\n').length > 401 && inside.startsWith('src/'))
      .map(({ path }) => path)
    expect(long.filter((path) => !(path in longFiles)).map((path) => `${path}: split it by concept`)).toEqual(
      [],
    )
    expect(Object.keys(longFiles).filter((path) => !long.includes(path))).toEqual([])
  })

  test('tests neither sleep nor skip without a reason', () => {
    const broken = files.flatMap(({ path, text }) =>
      /\.test(?:-d)?\.ts$/.test(path)
        ? withoutComments(text)
            .split('\n')
            .flatMap((line, index) =>
              /\b(?:test|it|describe)\.(?:only|todo|skip)\b|await (?:sleep|delay)\(\d|new Promise\(\s*\(?\w+\)?\s*=>\s*setTimeout\(\w+, *\d/.test(
                line,
              )
                ? [`${path}:${index + 1} ${line.trim()}`]
                : [],
            )
        : [],
    )
    expect(broken).toEqual([])
  })
})
