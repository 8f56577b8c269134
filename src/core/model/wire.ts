// The words of the wire, from one place.

export * from '../../gen/fourfold/v1/admin_pb.ts'
export * from '../../gen/fourfold/v1/folder_pb.ts'
export * from '../../gen/fourfold/v1/record_pb.ts'
export * from '../../gen/fourfold/v1/replication_pb.ts'
export * from '../../gen/fourfold/v1/session_pb.ts'

/** The revision of the language between clients and servers: a Hello that says another is refused. */
export const sessionProtocol = 1
