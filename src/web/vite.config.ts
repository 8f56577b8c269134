// How the page is built: one entry, and the service worker under a name that never changes.

import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

/** The page speaks English; React Aria's words in thirty other languages would be a tenth of it. */
const onlyEnglish: Plugin = {
  name: 'only-english',
  load(id) {
    const locale =
      /\/react-(?:aria|stately)[^/]*\/dist\/.*\/intl\/.*?([a-z]{2}-[A-Z]{2})\.m?js$/.exec(id)
    return locale === null || locale[1] === 'en-US' ? undefined : 'export default {}'
  },
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [onlyEnglish],
  resolve: { dedupe: ['yjs', 'y-protocols', 'lib0'] },
  build: {
    outDir: fileURLToPath(new URL('../../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2024',
    // Newer than Vite's default, so that `light-dark()` reaches the browser as it is written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: {
        page: fileURLToPath(new URL('index.html', import.meta.url)),
        'service-worker': fileURLToPath(new URL('service-worker.ts', import.meta.url)),
      },
      output: {
        entryFileNames: (chunk) =>
          chunk.name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js',
      },
      onLog(level, log, report) {
        // "use client" is for servers that draw React; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log)
      },
    },
  },
})
