import { readFileSync } from 'node:fs'
import { MaglevError } from '../errors.ts'
import { readSecret } from '../settings.ts'

/**
 * The secret that `env:NAME` or `file:PATH` holds, as 32 hex digits. A secret itself is refused: every user of the machine can read
 * the arguments of a process. (The two forms are those of OpenSSL's `-passin`.)
 *
 * @throws MaglevError `INVALID_OPTION`, which never shows what was read, nor a word that may be the secret
 */
export function secretFrom(word: string): Uint8Array {
  const [, kind, place = ''] = /^(env|file):(.+)$/s.exec(word) ?? []
  if (kind === undefined) {
    throw new MaglevError(
      'INVALID_OPTION',
      '--secret must be env:NAME or file:PATH, where 32 hex digits are: arguments can be read by every user of the machine',
    )
  }
  const text = kind === 'env' ? process.env[place] : textOf(place)
  if (text === undefined || text.trim() === '') {
    throw new MaglevError('INVALID_OPTION', `--secret ${word}: there is nothing there`)
  }
  try {
    return readSecret(text.trim())
  } catch (cause) {
    throw new MaglevError('INVALID_OPTION', `--secret ${word}: 32 hex digits must be there`, { cause })
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new MaglevError('INVALID_OPTION', `--secret file: ${reason}`, { cause })
  }
}
