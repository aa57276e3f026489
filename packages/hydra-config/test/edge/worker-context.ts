import { createContext, runInContext } from 'node:vm'

/**
 * Runs a bundled script as Cloudflare's Workers would: with the globals of the web, and neither `process`, `Buffer`,
 * `require` nor a file system.
 *
 * @returns what the script has put into its global variable `bundle`
 */
export function runAsWorker(script: string): Record<string, unknown> {
  const web = {
    AbortController,
    AbortSignal,
    DOMException,
    TextDecoder,
    TextEncoder,
    URL,
    clearTimeout,
    crypto,
    performance,
    queueMicrotask,
    setTimeout,
    structuredClone,
  }
  const found: unknown = runInContext(`'use strict';${script};bundle`, createContext({ ...web }), {
    filename: 'worker.js',
  })
  if (typeof found !== 'object' || found === null) throw new TypeError('the script has no bundle')
  return { ...found }
}
