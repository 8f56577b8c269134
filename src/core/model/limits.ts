// Every bound of the system, each with its reason, by what it bounds. Sizes in bytes, spans in ms.

export * from './limits/contents.ts'
export * from './limits/sessions.ts'
export * from './limits/servers.ts'
export * from './limits/clients.ts'
export * from './limits/requests.ts'
export * from './limits/searches.ts'
export * from './limits/blobs.ts'
export * from './limits/archives.ts'
export * from './limits/dav.ts'
