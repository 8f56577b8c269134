// The SDK: live documents and files of a replica set, for the page, the command line and programs.

export type * from './api.ts'
export { FourfoldError } from '../core/model/errors.ts'
export { connect } from './connect.ts'
export { PuttingBack } from './put-back.ts'
