// One object of a configuration file, read key by key, so that what is wrong is named.

/** The configuration cannot be used: a person must change it. Exit 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** One object of the file. Every key that is read is a known one; `end` refuses all others. */
export class Section {
  readonly file: string
  readonly #path: string
  readonly #value: { [key: string]: unknown }
  readonly #known: string[] = []

  constructor(file: string, path: string, value: unknown) {
    this.file = file
    this.#path = path
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ConfigurationError(`${file}: ${path ? `"${path}"` : 'it'} must be an object.`)
    }
    this.#value = value as { [key: string]: unknown }
  }

  text(key: string): string {
    return this.optionalText(key) ?? this.fail(key, 'is missing')
  }

  optionalText(key: string): string | undefined {
    const value = this.#read(key)
    if (value === undefined || typeof value === 'string') return this.#plain(key, value)
    return this.fail(key, 'must be a text in quotes')
  }

  optionalNumber(key: string): number | undefined {
    const value = this.#read(key)
    if (value === undefined || typeof value === 'number') return value
    return this.fail(key, 'must be a number')
  }

  optionalFlag(key: string): boolean | undefined {
    const value = this.#read(key)
    if (value === undefined || typeof value === 'boolean') return value
    return this.fail(key, 'must be true or false')
  }

  section(key: string): Section | undefined {
    const value = this.#read(key)
    return value === undefined ? undefined : new Section(this.file, this.#name(key), value)
  }

  textOrSection(key: string): string | Section | undefined {
    const value = this.#read(key)
    if (value === undefined || typeof value === 'string') return this.#plain(key, value)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject) this.fail(key, 'must be a text in quotes or an object')
    return new Section(this.file, this.#name(key), value)
  }

  /** A required list of objects. */
  sections(key: string): Section[] {
    const value = this.#read(key)
    if (value === undefined) return this.fail(key, 'is missing')
    if (!Array.isArray(value)) return this.fail(key, 'must be a list')
    return value.map((item, index) => new Section(this.file, `${this.#name(key)}[${index}]`, item))
  }

  /** An optional list of texts. */
  texts(key: string): string[] {
    const value = this.#read(key)
    if (value === undefined) return []
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
    return this.fail(key, 'must be a list of texts')
  }

  end(): void {
    const unknown = Object.keys(this.#value).find((key) => !this.#known.includes(key))
    if (unknown !== undefined) {
      this.fail(unknown, `is no key of a configuration; there are ${this.#known.join(', ')}`)
    }
  }

  fail(key: string, why: string): never {
    throw new ConfigurationError(`${this.file}: "${this.#name(key)}" ${why}.`)
  }

  // Nothing of the system takes it, as a path or a host.
  #plain(key: string, text: string | undefined): string | undefined {
    if (text?.includes('\0')) this.fail(key, 'must not contain a NUL character')
    return text
  }

  #read(key: string): unknown {
    this.#known.push(key)
    return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined
  }

  #name(key: string): string {
    return this.#path ? `${this.#path}.${key}` : key
  }
}
