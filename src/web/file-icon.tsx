// A picture for a kind of file, by its name.

import { FileCode, FileText } from 'lucide-react'
import { languageOf } from './language.ts'

export function FileIcon({ name }: { name: string }) {
  const Icon = languageOf(name).isProse ? FileText : FileCode
  return <Icon className="file-icon" size={16} aria-hidden />
}
