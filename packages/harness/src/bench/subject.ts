import { field } from '../conformance/field.ts'
import { HarnessError } from '../errors.ts'
import { type OracleOptions, startOracle } from '../oracle/oracle.ts'

/** A function of a module: it runs in a Node process of its own. */
export interface ModuleSubject {
  readonly name: string
  /** The file: `new URL('./hashring.ts', import.meta.url)`. */
  readonly module: URL
  /** Its export that is a `Prepare`. Default: `prepare`. */
  readonly export?: string
}

/** A program in any language that answers the commands of `serveSubject()` on its standard input and output. */
export interface CommandSubject {
  readonly name: string
  readonly command: string
  readonly args?: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

export type Subject = ModuleSubject | CommandSubject

/** A subject in its own process, and the steps that it can be asked to take. */
export interface SubjectProcess extends AsyncDisposable {
  prepare(
    input: unknown,
    cases: readonly unknown[],
  ): Promise<{ heapBytes: number | undefined; rssBytes: number | undefined }>
  answers(): Promise<unknown[]>
  /** Runs for `ms` and tells the least time per call, in nanoseconds. */
  warmUp(ms: number): Promise<number>
  /** Runs so many calls and tells the time they took, in nanoseconds. */
  round(calls: number): Promise<number>
  allocatedPerCall(calls: number): Promise<number | undefined>
}

export function startSubject(
  subject: Subject,
  { timeoutMs, nodeArgs }: { timeoutMs: number; nodeArgs: readonly string[] },
): SubjectProcess {
  const oracle = startOracle({ ...programOf(subject, nodeArgs), timeout: timeoutMs })
  const ask = async (op: string, fields: object): Promise<object> => {
    const answer = Object(await oracle.ask({ id: op, op, ...fields }))
    const error: unknown = Reflect.get(answer, 'error')
    if (error !== undefined)
      throw new HarnessError('SUBJECT_FAILED', `${op}: ${Reflect.get(Object(error), 'message')}`)
    return Object(Reflect.get(answer, 'ok'))
  }
  const bytes = { min: Number.MIN_SAFE_INTEGER }
  return {
    async prepare(input, cases) {
      const module =
        'module' in subject ? { module: subject.module.href, export: subject.export ?? 'prepare' } : {}
      const ok = await ask('prepare', { ...module, input, cases })
      return {
        heapBytes: field(ok, 'heapBytes').optional((heap) => heap.number(bytes)),
        rssBytes: field(ok, 'rssBytes').optional((rss) => rss.number(bytes)),
      }
    },
    answers: async () => field(await ask('answers', {}), 'answers').list((answer) => answer.value),
    warmUp: async (ms) => field(await ask('warm-up', { ms }), 'nsPerCall').number({ min: Number.MIN_VALUE }),
    round: async (calls) => field(await ask('round', { calls }), 'ns').number({ min: 0 }),
    async allocatedPerCall(calls) {
      const ok = await ask('allocation', { calls })
      return field(ok, 'bytes').optional((allocated) => allocated.number() / calls)
    },
    [Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose](),
  }
}

function programOf(subject: Subject, nodeArgs: readonly string[]): OracleOptions {
  if ('command' in subject) return subject
  // This folder's entry, from the sources as from the build.
  const entry = new URL(`./index.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
  const serve = `await (await import(${JSON.stringify(entry.href)})).serveSubject()`
  return {
    command: process.execPath,
    args: [...nodeArgs, '--expose-gc', '--input-type=module', '--eval', serve],
  }
}
