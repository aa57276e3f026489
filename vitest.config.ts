import { defineConfig } from 'vitest/config'
import { projects } from './tooling/vitest-projects.ts'

const conditions = ['@loadbearing/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    projects: projects(import.meta.dirname),
    setupFiles: [`${import.meta.dirname}/tooling/property-seed.ts`],
    isolate: false,
    // Vitest would keep a core for itself: of two, half of the machine, while most tests wait for servers and children.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
