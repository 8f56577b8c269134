// How the program is built: a few files instead of the hundreds that it is made of, each of which Node
// would have to find.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

export default defineConfig({
  root: at('src/cli'),
  logLevel: 'warn',
  build: {
    ssr: true,
    target: 'node24',
    outDir: at('dist/program'),
    emptyOutDir: true,
    rolldownOptions: {
      input: {
        main: at('src/cli/main.ts'),
        // Threads are started by these names, from beside whatever file starts them.
        'sqlite-worker': at('src/adapters/storage/sqlite-worker.ts'),
        'sqlite-compactor': at('src/adapters/storage/sqlite-compactor.ts'),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
  ssr: { noExternal: true },
})
