/**
 * The paths of a configuration of type `T`, such as `db.port`, `ports[0]` and `labels[a.b]`; any string where `T` is
 * not known. Below nine levels any path is taken.
 */
export type Path<T> = unknown extends T ? string : '' | WithoutDot<Below<T, 9>>

type WithoutDot<Text> = Text extends `.${infer Rest}` ? Rest : Text

/** What may follow the path of a value of type `T`. */
type Below<T, Depth extends number> = unknown extends T
  ? Any
  : T extends Leaf
    ? never
    : Depth extends 0
      ? Any
      : T extends readonly (infer Item)[]
        ? Step<`[${number}]` | `.${number}`, Item, Depth>
        : { [Key in keyof T & (string | number)]-?: Step<KeyText<Key>, T[Key], Depth> }[keyof T &
            (string | number)]

type Step<Text extends string, T, Depth extends number> = Text | `${Text}${Below<T, Less[Depth]>}`

type KeyText<Key extends string | number> = string extends Key
  ? Any
  : Key extends `${string}${'.' | '['}${string}`
    ? `[${Key}]`
    : `.${Key}`

type Any = `.${string}` | `[${string}`

type Leaf =
  | null
  | undefined
  | boolean
  | bigint
  | number
  | string
  | symbol
  | Date
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never[]) => unknown)

/** One less. */
type Less = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
