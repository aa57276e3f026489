import type { Oracle } from '@loadbearing/harness/oracle'
import {
  type Comparison,
  type ComparisonReport,
  compareWithOracle,
  type KnownDifference,
} from '@loadbearing/harness/oracle'
import type { Arbitrary } from 'fast-check'
import { type Answer, answerOf, ourConfig, ourOverride, ourValue, sameAnswer } from './answers.ts'
import { argumentsComparison } from './arguments-comparison.ts'
import { cliComparison } from './cli-comparison.ts'
import { type ConfigCase, configCase, sweepCase } from './config-cases.ts'
import { type InstantiateCase, instantiateCase, ourInstantiate } from './instantiate-cases.ts'
import { messageComparison } from './message-comparison.ts'
import { overrideText } from './override-cases.ts'
import type { Judge } from './python.ts'
import { ourResolved, type ResolverCase, resolverCase } from './resolver-cases.ts'
import { scalarCase } from './scalar-cases.ts'
import { ourStored, type StoreCase, storeCase } from './store-cases.ts'
import { crashesLeftOut, failureOf, ourTyped } from './typed-answers.ts'
import type { TypedCase } from './typed-case.ts'
import { typedCase } from './typed-cases.ts'
import { dumpCase, interpolateCase, mergeCase, type ValueCase, yamlCase } from './value-cases.ts'

/** One kind of question that is put to us and to the running Hydra. */
export interface Questions {
  /** For `--only`. */
  readonly name: string
  /** As the table calls it. */
  readonly what: string
  readonly judge: Judge
  /** How many cases, of so many `runs`. */
  readonly share: number
  compare(oracle: Oracle, seed: number, runs: number): Promise<ComparisonReport<unknown, unknown, unknown>>
}

const folders = 'random folders of configs and command lines; answer, or class of the error'

const knownOfHydra13: readonly KnownDifference<ConfigCase, Answer, Answer>[] = [
  {
    reason:
      'of the option _self_ of a group Hydra 1.3 fails an assertion, or takes it for the config itself where that has a package; we refuse it in both',
    covers: ({ files }, ours) =>
      'error' in ours &&
      ours.error.class === 'AssertionError' &&
      Object.values(files).some((text) => text.includes(': _self_')),
  },
]

const knownOfStrict: readonly KnownDifference<ConfigCase, Answer, Answer>[] = [
  {
    reason: 'Hydra 1.4 takes the option _self_ of a group for the config itself; we refuse it',
    covers: ({ files }, ours) =>
      'error' in ours && Object.values(files).some((text) => text.includes(': _self_')),
  },
  {
    reason: 'Hydra 1.4 reads the primary config before the overrides; of two faults it finds the other one',
    covers: (_, ours, theirs) =>
      'error' in ours && 'error' in theirs && ours.error.class === 'OverrideParseException',
  },
]

/** `${d}` within a text: it is the text of a map or list, with the interpolations in it as they are written. */
const textOfContainer = /[^"]\$\{[dl]\}|\$\{[dl]\}[^"]/

function missingIsNull(answer: Answer): string {
  return JSON.stringify(answer).replaceAll('"???"', 'null')
}

const selectBelowMissing: KnownDifference<unknown, Answer, Answer> = {
  reason:
    "OmegaConf's select fails with an error of Python below a map or list that is missing (???); we find nothing there",
  covers: (_, ours, theirs) => sameAnswer(ours, crashesLeftOut(theirs, ours)),
}

export const comparisons: readonly Questions[] = [
  questions<string>({
    name: 'override',
    what: 'Overrides: random ones of the grammar, with one character changed, and of any characters; value, or class and offset of the error',
    share: 1,
    arbitrary: overrideText,
    ours: ourOverride,
    question: (text) => ({ op: 'override', text }),
    known: [
      {
        reason: 'shuffle() of a list draws its order when it is parsed',
        covers: (text, ours, theirs) => text.includes('shuffle') && 'ok' in ours && 'ok' in theirs,
      },
    ],
  }),
  ...(['defaults', 'compose', 'sweep'] as const).map((op) => configQuestions(op, 'hydra-1.3')),
  ...(['defaults', 'compose'] as const).map((op) => configQuestions(op, 'strict')),
  questions<StoreCase>({
    name: 'store',
    what: 'Structured configs of a ConfigStore beside random folders and command lines, composed by both; values, types and what is selected, or class of the error',
    share: 1 / 10,
    arbitrary: storeCase,
    ours: ourStored,
    question: (input) => ({ op: 'stored', ...input }),
    known: [
      {
        reason: "OmegaConf's own code misses an attribute; we tell what is wrong",
        covers: (_, ours, theirs) =>
          'error' in ours && 'error' in theirs && theirs.error.class === 'AttributeError',
      },
      {
        reason:
          "OmegaConf's own code fails an assertion where a map goes over a struct that is missing; we merge",
        covers: (_, ours, theirs) =>
          'ok' in ours && 'error' in theirs && theirs.error.class === 'AssertionError',
      },
      selectBelowMissing,
    ],
  }),
  messageComparison,
  argumentsComparison,
  cliComparison,
  valueQuestions(
    'scalar',
    '`yaml`: random plain scalars; value and kind, or class of the error',
    scalarCase,
    2,
  ),
  valueQuestions('yaml', '`yaml`: random texts; answer, or class of the error', yamlCase),
  valueQuestions('dump', '`dump`: random texts of any characters', dumpCase),
  valueQuestions('merge', '`merge`: random texts; answer, or class of the error', mergeCase),
  valueQuestions(
    'interpolate',
    '`interpolate`: random texts; answer, or class of the error',
    interpolateCase,
  ),
  questions<ResolverCase>({
    name: 'resolvers',
    what: 'Interpolations that call resolvers of a user, with and without a cache, resolved by reference and in place; every value, or class of the error',
    share: 1 / 2,
    arbitrary: resolverCase,
    ours: ourResolved,
    question: (input) => ({ op: 'resolved', ...input }),
    known: [
      {
        reason:
          'OmegaConf.resolve refuses a plain dict or list of a resolver, which to_container takes; we take it in both',
        covers: (_, __, theirs) => 'error' in theirs && theirs.error.class === 'UnsupportedValueType',
      },
      {
        reason:
          'a text that an interpolation made is no interpolation to us; OmegaConf.resolve takes ${ in it for one when something leads there',
        covers: ({ how, text }, ours, theirs) =>
          how === 'resolve' &&
          (JSON.stringify(ours).includes('${') ||
            JSON.stringify(theirs).includes('GrammarParseError') ||
            ('error' in theirs && (textOfContainer.test(text) || text.includes('${made:')))),
      },
      {
        reason:
          'OmegaConf.resolve looks for what is selected among what it has resolved so far, where an interpolation of what is missing has become ???; we select as if nothing were resolved yet',
        covers: ({ how, text }, ours, theirs) =>
          how === 'resolve' && text.includes('oc.select') && missingIsNull(ours) === missingIsNull(theirs),
      },
    ],
  }),
  questions<InstantiateCase>({
    name: 'instantiate',
    what: '`instantiate`: random configs with `_target_`s, their modes and arguments; how each target is called, or the class of the error',
    share: 1 / 2,
    arbitrary: instantiateCase,
    ours: ourInstantiate,
    question: (input) => ({ op: 'instantiate', ...input }),
    known: [
      {
        reason:
          'a plain map that is the last positional argument is taken for the named arguments by the recorder of the cases',
        covers: (_, ours, theirs) => withoutKinds(ours) === withoutKinds(theirs),
      },
    ],
  }),
  questions<TypedCase>({
    name: 'typed',
    what: 'Structured configs: random dataclasses, merges, updates, flags and selects; every value with its type, or the class of the error and its step',
    share: 1,
    arbitrary: typedCase,
    ours: (input) => ({ ok: ourTyped(input) }),
    question: (input) => ({ op: 'typed', ...input }),
    known: [
      selectBelowMissing,
      {
        reason:
          "OmegaConf's own code fails an assertion or misses an attribute; we merge, or tell what is wrong",
        covers: (_, _ours, theirs) =>
          /^\{"ok":\{"error":"(?:Assertion|Attribute)Error"/.test(JSON.stringify(theirs)),
      },
      {
        reason:
          "OmegaConf's own code takes a node for a value where a map goes over another one below a map of maps, or one that went under a structured config; we merge",
        covers: (_, ours, theirs) => {
          const failed = failureOf(theirs)
          return failed?.class === 'UnsupportedValueType' && failed.at < (failureOf(ours)?.at ?? Infinity)
        },
      },
    ],
  }),
]

/** Without what an argument of a target is a config or plain by. */
function withoutKinds(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) => {
    let bare = value
    for (let kind = kindOf(bare); kind !== undefined; kind = kindOf(bare)) bare = kind.value
    return bare
  })
}

function kindOf(value: unknown): { readonly value: unknown } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const [entry, ...others] = Object.entries(value)
  if (entry === undefined || others.length > 0) return undefined
  return ['config', 'plain', 'named', 'map'].includes(entry[0]) ? { value: entry[1] } : undefined
}

function configQuestions(op: 'defaults' | 'compose' | 'sweep', judge: Judge): Questions {
  return questions<ConfigCase>({
    name: judge === 'strict' ? `strict-${op}` : op,
    what:
      judge === 'strict'
        ? `\`${op}\` by strict semantics, judged by Hydra 1.4: ${folders}`
        : `\`${op}\`: ${folders}`,
    judge,
    share: 1 / 25,
    arbitrary: op === 'sweep' ? sweepCase : configCase,
    ours: (input) => ourConfig(op, input, judge),
    question: (input) => ({ op, ...input }),
    known: judge === 'strict' ? knownOfStrict : knownOfHydra13,
  })
}

function valueQuestions(
  name: string,
  what: string,
  arbitrary: Arbitrary<ValueCase>,
  share = 1 / 2,
): Questions {
  return questions<ValueCase>({
    name,
    what,
    share,
    arbitrary,
    ours: ourValue,
    question: (input) => input,
    known: [
      {
        reason: 'a key -0.0 is 0.0, as a Map of JavaScript holds it',
        covers: (_, ours, theirs) => unsignedZeros(ours) === unsignedZeros(theirs),
      },
      {
        reason: 'digits that Unicode has since 15.0 are none to Python before 3.12; JavaScript reads them',
        covers: (given) =>
          /[\u{10D40}-\u{10D49}\u{116D0}-\u{116E3}\u{11BF0}-\u{11BF9}\u{11DE0}-\u{11DE9}\u{11F50}-\u{11F59}\u{1CCF0}-\u{1CCF9}\u{1E4F0}-\u{1E4F9}\u{1E5F1}-\u{1E5FA}]/u.test(
            textsOf(given),
          ),
      },
      {
        reason: "a value that holds itself runs out of Python's stack, here or there; we name the circle",
        covers: (_, ours, theirs) =>
          'error' in ours &&
          ours.error.class === 'InterpolationResolutionError' &&
          'error' in theirs &&
          theirs.error.class === 'RecursionError',
      },
    ],
  })
}

function questions<Case>({
  question,
  name,
  what,
  judge = 'hydra-1.3',
  share,
  ...comparison
}: Omit<Comparison<Case, Answer, Answer>, 'theirs' | 'equal'> & {
  readonly question: (input: Case) => object
  readonly name: string
  readonly what: string
  readonly judge?: Judge
  readonly share: number
}): Questions {
  return {
    name,
    what,
    judge,
    share,
    compare: (oracle, seed, runs) =>
      compareWithOracle({
        ...comparison,
        theirs: async (input) => answerOf(await oracle.ask(question(input))),
        equal: sameAnswer,
        seed,
        runs: Math.ceil(runs * share),
      }),
  }
}

/** The texts of a case, its escapes read. */
function textsOf(given: unknown): string {
  if (typeof given === 'string') return given
  return typeof given === 'object' && given !== null ? Object.values(given).map(textsOf).join(' ') : ''
}

function unsignedZeros(answer: unknown): string {
  return JSON.stringify(answer).replaceAll('-0.0', '0.0')
}
