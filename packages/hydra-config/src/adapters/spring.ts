import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HydraConfigError } from '../errors.ts'
import { importSpring, type SpringOptions } from '../import/spring.ts'
import type { ConfigSource } from '../source/source.ts'
import { readConfigText } from './dir-read.ts'

export { importSpring, type SpringOptions }

/**
 * The YAML configuration of Spring Boot in a directory as a source, read anew each time: see {@link importSpring}. The
 * profiles are those of `SPRING_PROFILES_ACTIVE`, unless they are given.
 *
 * @throws {HydraConfigError} of `files()`: `SOURCE_NOT_FOUND`, `SOURCE_READ`, and as {@link importSpring}
 */
export function fromSpring(folder: string, options: SpringOptions = {}): ConfigSource {
  const home = resolve(folder)
  const active = process.env['SPRING_PROFILES_ACTIVE']
  const asked = { ...(active === undefined ? {} : { profiles: active.split(',') }), ...options }
  return { path: `spring://${home}`, files: () => importSpring(textsIn(home), asked) }
}

function textsIn(home: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const name of namesIn(home)) {
    if (!/\.ya?ml$/.test(name)) continue
    const text = readConfigText(join(home, name))
    if (text instanceof HydraConfigError) throw text
    if (text !== undefined) texts.set(name, text)
  }
  return texts
}

function namesIn(home: string): readonly string[] {
  try {
    return readdirSync(home)
  } catch (cause) {
    throw new HydraConfigError('SOURCE_NOT_FOUND', `there is no directory ${home}`, { cause })
  }
}
