export type Method = (this: unknown, ...args: unknown[]) => unknown

/** Puts methods of an object in place of those it has; the function that comes back takes them away. */
export function replaceMethods(
  target: object,
  methods: Readonly<Record<string, (original: Method) => Method>>,
): () => void {
  const replaced = Object.entries(methods).flatMap(([name, replace]) => {
    const original: unknown = Reflect.get(target, name)
    if (typeof original !== 'function') return []
    const before = Object.getOwnPropertyDescriptor(target, name)
    const value = replace(function (...args) {
      return Reflect.apply(original, this, args)
    })
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
    return [{ name, before }]
  })
  return () => {
    for (const { name, before } of replaced) {
      if (before === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, before)
    }
  }
}
