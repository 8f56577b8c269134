// Starts the page.

import { I18nProvider } from 'react-aria-components'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { Mishap } from './mishap.tsx'
import { keepPage } from './offline.ts'
import { chosenTheme, showTheme } from './theme.ts'

showTheme(chosenTheme())
createRoot(document.getElementById('page')!).render(
  // The page's own words are English; so are React Aria's.
  <I18nProvider locale="en-GB">
    <Mishap>
      <App />
    </Mishap>
  </I18nProvider>,
)
keepPage()
