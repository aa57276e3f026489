import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { missing } from './dashboard-war.ts'

const executablePath = '/usr/bin/chromium'

/** Why there is no browser, or false. @throws where the environment variable CI is set. */
export function skipWithoutChromium(): string | false {
  return existsSync(executablePath) ? false : missing(`there is no ${executablePath}`).missing
}

/** A browser with a profile of its own. */
export async function browser(
  colorScheme: 'light' | 'dark' = 'light',
): Promise<AsyncDisposable & { readonly context: BrowserContext }> {
  const profile = mkdtempSync(join(tmpdir(), 'hystrix-dashboard-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    colorScheme,
    viewport: { width: 1240, height: 900 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
