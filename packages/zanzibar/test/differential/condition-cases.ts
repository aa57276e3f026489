import fc, { type Arbitrary } from 'fast-check'
import type { ParameterType } from '../../src/model/authorization-model.ts'
import type { Json } from '../../src/tuple/tuple.ts'
import { context, parameters } from './condition-contexts.ts'

/** An expression and what it is asked with. */
export interface ConditionCase {
  readonly expression: string
  readonly parameters: Readonly<Record<string, ParameterType>>
  readonly context: Readonly<Record<string, Json>>
  readonly maxCost: number
}

type Kind =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'ip'
  | 'list'
  | 'map'
  | 'dyn'

const zone = fc.constantFrom(
  "'America/New_York'",
  "'-08:00'",
  "'+05:30'",
  "'UTC'",
  "''",
  "'Nowhere/None'",
  "'24:00'",
  "'Asia/Kolkata'",
)
const accessor = fc.constantFrom(
  'getFullYear',
  'getMonth',
  'getDayOfYear',
  'getDayOfMonth',
  'getDate',
  'getDayOfWeek',
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
)
const comparison = fc.constantFrom('<', '<=', '>', '>=', '==', '!=')
const pattern = fc.constantFrom(
  "'a+'",
  "'^[a-c]*$'",
  "r'\\d'",
  "'(?i)A.C'",
  "'h.*o\\\\b'",
  "'('",
  "'\\\\pL'",
  "'[é𝒳]'",
  's',
)
const network = fc.constantFrom(
  "'10.0.0.0/8'",
  "'::ffff:10.0.0.0/104'",
  "'2001:db8::/32'",
  "'x'",
  "'10.0.0.0/33'",
  's',
)

// Shared, so that parts of different types count together.
const depth = fc.createDepthIdentifier()

/** Mostly well typed, so that most of them run. */
const expression: Arbitrary<string> = fc.letrec<Record<Kind | 'any' | 'name', string>>((tie) => {
  const text = (
    strings: TemplateStringsArray,
    ...parts: readonly (Arbitrary<string> | Kind | 'any' | 'name')[]
  ): Arbitrary<string> =>
    fc
      .tuple(...parts.map((part) => (typeof part === 'string' ? tie(part) : part)))
      .map((values) => strings.map((each, index) => each + (values[index] ?? '')).join(''))
  const one = (leaf: Arbitrary<string>, ...others: readonly Arbitrary<string>[]): Arbitrary<string> =>
    fc.oneof({ maxDepth: 3, depthIdentifier: depth }, leaf, ...others)
  const element = fc.constantFrom('x', 'y')
  const over: Arbitrary<string> = fc.oneof(tie('list'), tie('map'), tie('dyn'))
  return {
    name: element,
    any: fc.oneof(
      tie('bool'),
      tie('int'),
      tie('uint'),
      tie('double'),
      tie('string'),
      tie('list'),
      tie('map'),
      tie('dyn'),
      tie('timestamp'),
      tie('duration'),
      tie('bytes'),
    ),
    bool: one(
      fc.constantFrom('b', 'true', 'false', 'x', 'has(ma.a)', 'has(ms.abc)', 'has(a.b)', 'has(ma.a.b)'),
      text`${'bool'} && ${'bool'}`,
      text`(${'bool'} || ${'bool'})`,
      text`!(${'bool'})`,
      text`(${'bool'} ? ${'bool'} : ${'bool'})`,
      text`(${'int'} ${comparison} ${'int'})`,
      text`(${'double'} ${comparison} ${'double'})`,
      text`(${'uint'} ${comparison} ${'uint'})`,
      text`(${'string'} ${comparison} ${'string'})`,
      text`(${'bytes'} ${comparison} ${'bytes'})`,
      text`(${'timestamp'} ${comparison} ${'timestamp'})`,
      text`(${'duration'} ${comparison} ${'duration'})`,
      text`(${'dyn'} ${comparison} ${'any'})`,
      text`(${'any'} == ${'any'})`,
      text`(${'dyn'} in ${'dyn'})`,
      text`(${'string'} in ${'list'})`,
      text`(${'any'} in ${'list'})`,
      text`(${'string'} in ${'map'})`,
      text`${'list'} == ${'list'}`,
      text`${'map'} == ${'map'}`,
      text`${'string'}.contains(${'string'})`,
      text`${'string'}.startsWith(${'string'})`,
      text`${'string'}.endsWith(${'string'})`,
      text`${'string'}.matches(${pattern})`,
      text`matches(${'string'}, ${pattern})`,
      text`${'ip'}.in_cidr(${network})`,
      text`${over}.all(${'name'}, ${'bool'})`,
      text`${over}.exists(${'name'}, ${'bool'})`,
      text`${over}.exists_one(${'name'}, ${'bool'})`,
      text`bool(${'string'})`,
      text`(type(${'any'}) == ${fc.constantFrom('int', 'string', 'list', 'map', 'null_type', 'type', 'bool', 'google.protobuf.Duration')})`,
      text`has({'a': ${'any'}}.a)`,
      text`${'dyn'}`,
    ),
    int: one(
      fc.constantFrom(
        'i',
        'j',
        '0',
        '1',
        '2',
        '-1',
        '7',
        '0x1F',
        '9223372036854775807',
        '-9223372036854775808',
        'x',
        'mi.a',
        'li[0]',
      ),
      text`(${'int'} + ${'int'})`,
      text`(${'int'} - ${'int'})`,
      text`(${'int'} * ${'int'})`,
      text`(${'int'} / ${'int'})`,
      text`(${'int'} % ${'int'})`,
      text`-(${'int'})`,
      text`(${'bool'} ? ${'int'} : ${'int'})`,
      text`size(${'string'})`,
      text`${'list'}.size()`,
      text`size(${'map'})`,
      text`size(${'bytes'})`,
      text`size(${'dyn'})`,
      text`int(${'double'})`,
      text`int(${'string'})`,
      text`int(${'uint'})`,
      text`int(${'timestamp'})`,
      text`int(${'duration'})`,
      text`int(${'dyn'})`,
      text`${'timestamp'}.${accessor}()`,
      text`${'timestamp'}.${accessor}(${zone})`,
      text`${'duration'}.${fc.constantFrom('getHours', 'getMinutes', 'getSeconds', 'getMilliseconds')}()`,
      text`li[${'int'}]`,
      text`mi[${'string'}]`,
    ),
    uint: one(
      fc.constantFrom('u', '0u', '1u', '18446744073709551615u', '0xFu'),
      text`(${'uint'} ${fc.constantFrom('+', '-', '*', '/', '%')} ${'uint'})`,
      text`uint(${'int'})`,
      text`uint(${'double'})`,
      text`uint(${'string'})`,
    ),
    double: one(
      fc.constantFrom('d', '0.0', '1.5', '-2.5', '1e10', '.5', '1e-7'),
      text`(${'double'} ${fc.constantFrom('+', '-', '*', '/')} ${'double'})`,
      text`-(${'double'})`,
      text`double(${'int'})`,
      text`double(${'uint'})`,
      text`double(${'string'})`,
    ),
    string: one(
      fc.constantFrom(
        's',
        't',
        "'a'",
        '"abc"',
        "''",
        "'hello world'",
        "'\\u00e9'",
        "r'\\a'",
        "'''x'y'''",
        'ls[0]',
        'ms.a',
        'x',
        "'3'",
        "'1.5'",
      ),
      text`(${'string'} + ${'string'})`,
      text`string(${'int'})`,
      text`string(${'double'})`,
      text`string(${'uint'})`,
      text`string(${'bool'})`,
      text`string(${'bytes'})`,
      text`string(${'timestamp'})`,
      text`string(${'duration'})`,
      text`string(${'dyn'})`,
      text`ls[${'int'}]`,
      text`ms[${'string'}]`,
      text`(${'bool'} ? ${'string'} : ${'string'})`,
    ),
    bytes: one(
      fc.constantFrom("b''", "b'abc'", "b'\\xff\\101'", "b'é'"),
      text`(${'bytes'} + ${'bytes'})`,
      text`bytes(${'string'})`,
    ),
    duration: one(
      fc.constantFrom('dur', "duration('1h')", "duration('-1.5s')", "duration('x')"),
      text`(${'duration'} + ${'duration'})`,
      text`(${'duration'} - ${'duration'})`,
      text`(${'timestamp'} - ${'timestamp'})`,
      text`duration(${'string'})`,
    ),
    timestamp: one(
      fc.constantFrom(
        'ts',
        "timestamp('2023-01-01T00:00:00Z')",
        "timestamp('2023-06-01T00:00:00.5+02:00')",
        "timestamp('x')",
        'timestamp(0)',
      ),
      text`(${'timestamp'} + ${'duration'})`,
      text`(${'duration'} + ${'timestamp'})`,
      text`(${'timestamp'} - ${'duration'})`,
      text`timestamp(${'int'})`,
      text`timestamp(${'string'})`,
    ),
    ip: one(fc.constantFrom('ip', "ipaddress('10.1.2.3')", "ipaddress('::1')"), text`ipaddress(${'string'})`),
    list: one(
      fc.constantFrom(
        'ls',
        'li',
        'la',
        '[]',
        '[1, 2, 3]',
        "['a', 'b']",
        '[1, 1u, 1.0]',
        "[1, 'a', null]",
        '[[1], [2]]',
      ),
      text`[${'any'}, ${'any'}]`,
      text`[${'string'}]`,
      text`[${'int'}, ${'int'}]`,
      text`(${'list'} + ${'list'})`,
      text`${over}.filter(${'name'}, ${'bool'})`,
      text`${over}.map(${'name'}, ${'any'})`,
      text`${over}.map(${'name'}, ${'bool'}, ${'any'})`,
      text`(${'bool'} ? ${'list'} : ${'list'})`,
    ),
    map: one(
      fc.constantFrom(
        'ms',
        'mi',
        'ma',
        '{}',
        "{'a': 1}",
        "{'a': 'x', 'b': 'y'}",
        "{1: 'a'}",
        "{2u: 'b'}",
        '{true: 1}',
      ),
      text`{${'string'}: ${'any'}}`,
      // Not bytes: a constant map with such a key ends cel-go's process.
      text`{${fc.oneof(tie('int'), tie('bool'), tie('uint'), tie('string'), tie('duration'))}: ${'any'}}`,
      text`{'a': ${'int'}, 'b': ${'int'}}`,
    ),
    dyn: one(
      fc.constantFrom(
        'a',
        'ma.a',
        'ma.b.a',
        'la[0]',
        'x',
        'y',
        'a.b',
        'ma["abc"]',
        'null',
        'a[0]',
        'a[i]',
        'ma[s]',
        'ma[ms.a]',
      ),
      text`dyn(${'any'})`,
      text`${'dyn'}.a`,
      text`${'list'}[${'int'}]`,
      text`${'map'}[${'string'}]`,
      text`${'map'}[${'any'}]`,
      text`${'map'}.a`,
      text`(${'bool'} ? ${'any'} : ${'any'})`,
      text`(${'bool'} ? ma : ma).a`,
      text`la[${'dyn'}]`,
      text`${'dyn'}[${'dyn'}]`,
      text`ma[${'bool'} ? ${'string'} : ${'string'}]`,
      text`(${'dyn'} + ${'any'})`,
    ),
  }
}).bool

const marks = `( ) [ ] { } . , : ? ! - + && || < == = & # " ' in true null for x has( .all( 1 1. .5 1u 0x 1e r' b' ''' \\\\ // é 𝒳 @ ~ ; .?a [?0]`

const fragment = fc.constantFrom(...marks.split(' '), '`', '\n', '\t', ' ', '`a b`', 'M{a: 1}')

/** An expression with something put into it or taken out of it. */
export const brokenCase: Arbitrary<ConditionCase> = fc.record({
  expression: fc
    .tuple(expression, fc.nat(), fc.nat({ max: 3 }), fc.array(fragment, { minLength: 1, maxLength: 2 }))
    .map(([source, place, length, fragments]) => {
      const at = source.length === 0 ? 0 : place % (source.length + 1)
      return `${source.slice(0, at)}${fragments.join('')}${source.slice(at + length)}`
    })
    .filter((source) => source.isWellFormed()),
  parameters: fc.constant(parameters),
  context,
  maxCost: fc.constant(100),
})

/** A random expression over all parameters. */
export const conditionCase: Arbitrary<ConditionCase> = fc.record({
  expression,
  parameters: fc.constant(parameters),
  context,
  maxCost: fc.constantFrom(100, 100, 1_000_000, 5, 20),
})
