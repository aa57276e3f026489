import { MaglevError, shown } from '../errors.ts'
import { type HashedTable, valueHashOf } from './value-hash.ts'

/**
 * A key for a prompt, so that prompts which begin alike go to the model server that has that beginning in its cache: the hash of
 * the first `blockSize` tokens, or characters of a text (UTF-16 units); of all of a prompt that is shorter. A conversation keeps
 * its key as it grows.
 *
 * Many prompts may begin alike: bound the load (`boundedLoad` of a pool), which sends what is too much on to the next server.
 *
 * @param prompt a text, or the numbers of its tokens, each a whole number from 0 to 2^32 - 1
 * @param blockSize a whole number from 1 to 1,048,576: as long as the beginning that many prompts share, a system prompt say
 * @param table the Maglev that the key is for: where that has a `secret`, the hash is keyed with it, else it is XXH64
 * @throws MaglevError `INVALID_OPTION` for `blockSize` and `table`, `INVALID_KEY` for the prompt
 */
export function prefixKey(
  prompt: string | ArrayLike<number>,
  blockSize: number,
  table?: HashedTable,
): bigint {
  if (!Number.isInteger(blockSize) || blockSize < 1 || blockSize > blockSizeMax) {
    throw new MaglevError(
      'INVALID_OPTION',
      `blockSize must be a whole number from 1 to ${blockSizeMax}, not ${shown(blockSize)}`,
    )
  }
  const hash = valueHashOf(table)
  if (typeof prompt === 'string') return hash(Buffer.from(prompt.slice(0, blockSize)))
  if (
    prompt === null ||
    typeof prompt !== 'object' ||
    !Number.isSafeInteger(prompt.length) ||
    prompt.length < 0
  ) {
    throw new MaglevError('INVALID_KEY', `A prompt is a string or a list of tokens, not ${shown(prompt)}`)
  }
  const count = Math.min(blockSize, prompt.length)
  const bytes = new DataView(new ArrayBuffer(count * 4))
  for (let index = 0; index < count; index++)
    bytes.setUint32(index * 4, checkToken(prompt[index], index), true)
  return hash(new Uint8Array(bytes.buffer))
}

const blockSizeMax = 2 ** 20

function checkToken(token: unknown, index: number): number {
  if (typeof token === 'number' && Number.isInteger(token) && token >= 0 && token < 2 ** 32) return token
  throw new MaglevError(
    'INVALID_KEY',
    `Token ${index} must be a whole number from 0 to 2^32 - 1, not ${shown(token)}`,
  )
}
