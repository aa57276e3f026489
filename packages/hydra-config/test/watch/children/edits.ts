import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/** How often each file says its number. */
export const copies = 200

export interface MeetingMessage {
  /** What stays as it is until the other side says that it saw it: a configuration, or null for none that is valid. */
  readonly shows: string | null
}

export interface EditsMessage {
  /** Every valid configuration that there was between two edits. */
  readonly states: readonly string[]
  /** The configuration after the last edit. */
  readonly last: string
}

/** A number, undefined where the file is not there or no configuration. */
type FileState = number | undefined

const options = ['a', 'b', 'c']

/** Edits `config.yaml` and the options of `db` at random, and knows of each moment what there is to see. */
class Editor {
  readonly #home: string
  readonly #random: () => number
  readonly #files = new Map<string, FileState>()
  #option = 'a'
  #number = 0
  readonly states: string[] = []

  constructor(home: string, random: () => number) {
    this.#home = home
    this.#random = random
    mkdirSync(join(home, 'db'))
    for (const option of options) this.#settle(`db/${option}.yaml`, 0)
    this.#settle('config.yaml', 0)
  }

  get state(): string | undefined {
    const own = this.#files.get('config.yaml')
    const chosen = this.#files.get(`db/${this.#option}.yaml`)
    return own === undefined || chosen === undefined ? undefined : `${own} ${this.#option} ${chosen}`
  }

  async edit(): Promise<void> {
    const path = this.#pick(['config.yaml', ...options.map((option) => `db/${option}.yaml`)])
    this.#number += 1
    if (path === 'config.yaml') this.#option = this.#pick(options)
    const edit: (path: string) => void | Promise<void> = this.#pick([
      this.#write,
      this.#write,
      this.#replace,
      this.#inParts,
      this.#overwrite,
      this.#break,
      this.#remove,
    ])
    await edit.call(this, path)
    if (this.state !== undefined) this.states.push(this.state)
  }

  /** All is valid, and as it was never before. */
  settle(): void {
    this.#number += 1
    for (const path of this.#files.keys()) this.#settle(path, this.#number)
  }

  breakConfig(): void {
    this.#break('config.yaml')
  }

  #settle(path: string, number: number): void {
    writeFileSync(join(this.#home, path), this.#text(path, number))
    this.#files.set(path, number)
    if (this.state !== undefined) this.states.push(this.state)
  }

  #write(path: string): void {
    this.#settle(path, this.#number)
  }

  #replace(path: string): void {
    writeFileSync(join(this.#home, 'next'), this.#text(path, this.#number))
    renameSync(join(this.#home, 'next'), join(this.#home, path))
    this.#files.set(path, this.#number)
  }

  /** Emptied, then written in two parts, between which all may happen. */
  async #inParts(path: string): Promise<void> {
    await this.#twoParts(path, 'w')
  }

  /** The new text over the old one. */
  async #overwrite(path: string): Promise<void> {
    await this.#twoParts(path, this.#files.get(path) === undefined ? 'w' : 'r+')
  }

  async #twoParts(path: string, flag: string): Promise<void> {
    const text = this.#text(path, this.#number)
    const middle = Math.floor(text.length * this.#random())
    const file = openSync(join(this.#home, path), flag)
    writeSync(file, text.slice(0, middle), 0)
    for (let turn = this.#random() * 4; turn > 1; turn -= 1) await setImmediate()
    if (this.#random() < 0.02) await setTimeout(30)
    writeSync(file, text.slice(middle), middle)
    closeSync(file)
    this.#files.set(path, this.#number)
  }

  #break(path: string): void {
    const text = this.#text(path, this.#number)
    const broken = this.#pick([
      text.slice(0, Math.floor(text.length / 2)),
      `${text}n: [`,
      '',
      '- a\n- b\n',
      'n: many\n',
    ])
    writeFileSync(join(this.#home, path), broken)
    this.#files.set(path, undefined)
  }

  #remove(path: string): void {
    rmSync(join(this.#home, path), { force: true })
    this.#files.set(path, undefined)
  }

  /** Numbers of one width, so that one text over another leaves no rest. */
  #text(path: string, number: number): string {
    const head =
      path === 'config.yaml' ? `defaults:\n- db: ${this.#option}\n- _self_\n` : `name: ${path.at(-6)}\n`
    const shown = String(number + 1e6)
    return `${head}n: ${shown}\ncopies:\n${`- ${shown}\n`.repeat(copies)}`
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }
}

/** The generator of Park and Miller. */
function seeded(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

async function main([home = '', seed = '0', edits = '0']: readonly string[]): Promise<void> {
  const random = seeded(Number(seed))
  const editor = new Editor(home, random)
  process.stdout.write('begun\n')
  await once(process, 'message')
  editor.breakConfig()
  await meeting(null)
  for (let edit = 1; edit <= Number(edits); edit += 1) {
    await editor.edit()
    // Mostly one after the other, now and then with time to be seen.
    if (random() < 0.1) await setTimeout(random() * 60)
    if (edit % 100 !== 0) continue
    editor.settle()
    await meeting(editor.state ?? null)
  }
  const message: EditsMessage = { states: editor.states, last: editor.state ?? '' }
  process.send?.(message, () => process.disconnect?.())
}

async function meeting(shows: string | null): Promise<void> {
  process.send?.({ shows } satisfies MeetingMessage)
  await once(process, 'message')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2))
