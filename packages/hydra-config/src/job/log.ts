import { logTime } from '../compose/civil-time.ts'
import { HydraConfigError } from '../errors.ts'
import { pythonString, scalarString } from '../value/python-string.ts'
import type { ListValue, MapValue, ScalarValue, Value } from '../value/value.ts'
import type { LogFile, Platform } from './platform.ts'

/** Levels of Python's `logging`. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL'

/** Writes messages under one name. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warning(message: string): void
  error(message: string): void
  critical(message: string): void
}

const severities: Readonly<Record<string, number>> = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
  FATAL: 50,
}

interface Formatter {
  readonly format: string
  readonly datefmt: string | undefined
}

interface Handler {
  readonly level: number
  readonly formatter: Formatter
  write(text: string): void
  close(): void
}

/**
 * What `hydra_logging` and `job_logging` configure: the part of Python's `logging.config.dictConfig` that writes to
 * the console and to files. Handlers of other classes are warned of and left out.
 */
export class Log {
  readonly #platform: Pick<Platform, 'clock' | 'out' | 'err' | 'files' | 'resolve'>
  #handlers: readonly Handler[] = []
  #rootLevel = severities['WARNING'] ?? 30
  readonly #levels = new Map<string, number>()

  constructor(platform: Pick<Platform, 'clock' | 'out' | 'err' | 'files' | 'resolve'>) {
    this.#platform = platform
  }

  /**
   * @param config with its interpolations resolved; where its `root` is null all stays as it is
   * @param verbose `true` for all messages, or names of loggers for all of theirs
   */
  configure(config: Value | undefined, verbose: Value | undefined): void {
    ensureVerbose(verbose)
    if (config?.kind === 'map' && mapAt(config, 'root') !== undefined) {
      this.close()
      this.#levels.clear()
      this.#configureLoggers(config)
    }
    if (verbose.kind === 'scalar' && typeof verbose.value === 'boolean') {
      if (verbose.value) this.#rootLevel = severityOf('DEBUG')
      return
    }
    const names = verbose.kind === 'list' ? verbose.items : [verbose]
    for (const name of names) {
      if (name.kind === 'scalar') this.#levels.set(scalarString(name.value), severityOf('DEBUG'))
    }
  }

  logger(name: string): Logger {
    const at = (level: LogLevel) => (message: string) => this.#write(name, level, message)
    return {
      debug: at('DEBUG'),
      info: at('INFO'),
      warning: at('WARNING'),
      error: at('ERROR'),
      critical: at('CRITICAL'),
    }
  }

  isEnabled(name: string, level: LogLevel): boolean {
    return severityOf(level) >= this.#levelOf(name)
  }

  close(): void {
    for (const handler of this.#handlers) handler.close()
    this.#handlers = []
  }

  #configureLoggers(config: MapValue): void {
    const root = mapAt(config, 'root')
    this.#rootLevel = severityOf(textAt(root, 'level') ?? 'WARNING')
    for (const [name, logger] of mapAt(config, 'loggers')?.entries ?? []) {
      const level = logger.kind === 'map' ? textAt(logger, 'level') : undefined
      if (level !== undefined) this.#levels.set(scalarString(name), severityOf(level))
    }
    const names = root?.entries.get('handlers')
    const handlers: Handler[] = []
    for (const name of names?.kind === 'list' ? names.items : []) {
      const key = name.kind === 'scalar' ? scalarString(name.value) : ''
      const handler = this.#handlerOf(mapAt(mapAt(config, 'handlers'), key), config, key)
      if (handler !== undefined) handlers.push(handler)
    }
    this.#handlers = handlers
  }

  #handlerOf(handler: MapValue | undefined, config: MapValue, name: string): Handler | undefined {
    const formatter = formatterOf(mapAt(mapAt(config, 'formatters'), textAt(handler, 'formatter') ?? ''))
    const level = severityOf(textAt(handler, 'level') ?? 'NOTSET')
    const ofClass = textAt(handler, 'class') ?? ''
    const filename = textAt(handler, 'filename')
    if (filename !== undefined) {
      const file = this.#openFile(
        filename,
        textAt(handler, 'mode') === 'w',
        textAt(handler, 'delay') === 'True',
      )
      return { level, formatter, ...file }
    }
    if (ofClass.endsWith('StreamHandler')) {
      const { out, err } = this.#platform
      const write = textAt(handler, 'stream') === 'ext://sys.stdout' ? out : err
      return { level, formatter, write: (text) => write(text), close: () => undefined }
    }
    if (!ofClass.endsWith('NullHandler')) {
      this.#platform.err(`UserWarning: the log handler '${name}' of class '${ofClass}' is left out\n`)
    }
    return undefined
  }

  #openFile(filename: string, truncate: boolean, delay: boolean): LogFile {
    const { files, resolve } = this.#platform
    const path = resolve(filename)
    let file = delay ? undefined : files.openLog(path, truncate)
    return {
      write: (text) => {
        file ??= files.openLog(path, truncate)
        file.write(text)
      },
      close: () => {
        file?.close()
      },
    }
  }

  #levelOf(name: string): number {
    for (let each = name; each !== ''; each = each.slice(0, Math.max(0, each.lastIndexOf('.')))) {
      const level = this.#levels.get(each)
      if (level !== undefined) return level
    }
    return this.#rootLevel
  }

  #write(name: string, level: LogLevel, message: string): void {
    const severity = severityOf(level)
    if (severity < this.#levelOf(name)) return
    const epoch = this.#platform.clock()
    for (const handler of this.#handlers) {
      if (severity >= handler.level)
        handler.write(`${formatted(handler.formatter, { name, level, message, epoch })}\n`)
    }
  }
}

function ensureVerbose(verbose: Value | undefined): asserts verbose is ScalarValue | ListValue {
  if (verbose?.kind === 'list') return
  if (verbose?.kind === 'scalar' && /boolean|string/.test(typeof verbose.value)) return
  const received = verbose === undefined ? 'null' : pythonString(verbose)
  throw new HydraConfigError(
    'COMPOSITION',
    `hydra.verbose must be true, false, the name of a logger or a list of names, received ${received}`,
    { class: 'AssertionError', path: 'hydra.verbose', origin: verbose?.origin },
  )
}

function formatterOf(formatter: MapValue | undefined): Formatter {
  return { format: textAt(formatter, 'format') ?? '%(message)s', datefmt: textAt(formatter, 'datefmt') }
}

function formatted(
  { format, datefmt }: Formatter,
  record: {
    readonly name: string
    readonly level: LogLevel
    readonly message: string
    readonly epoch: number
  },
): string {
  const fields: Readonly<Record<string, string>> = {
    asctime: logTime(record.epoch, datefmt),
    name: record.name,
    levelname: record.level,
    levelno: String(severityOf(record.level)),
    message: record.message,
    module: record.name.slice(record.name.lastIndexOf('.') + 1),
    created: String(record.epoch / 1000),
  }
  // Fields that are not known, such as the colours of colorlog, are empty.
  return format.replace(
    /%\((\w+)\)(-?)(\d*)(?:\.\d+)?[sdf]/g,
    (_, field: string, left: string, width: string) => {
      const text = Object.hasOwn(fields, field) ? (fields[field] ?? '') : ''
      return left === '-' ? text.padEnd(Number(width)) : text.padStart(Number(width))
    },
  )
}

function severityOf(level: string): number {
  return severities[level.toUpperCase()] ?? (/^\d+$/.test(level) ? Number(level) : 0)
}

function mapAt(value: MapValue | undefined, key: string): MapValue | undefined {
  const found = value?.entries.get(key)
  return found?.kind === 'map' ? found : undefined
}

function textAt(value: MapValue | undefined, key: string): string | undefined {
  const found = value?.entries.get(key)
  return found?.kind === 'scalar' && found.value !== null ? scalarString(found.value) : undefined
}
