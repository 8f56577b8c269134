"""A client in another language: knows nothing of Fourfold but an address, learns the rest by reflection."""

import json
import queue
import sys
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PATIENCE_S = 20


def message_class(pool, name):
    """The class of a message that the pool knows; old and new versions of protobuf differ here."""
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def reflection_messages():
    """What of grpc.reflection.v1 is needed here: Debian has no package with it."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="reflection.proto", package="r", syntax="proto3")

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for field_name, number, kind, label, type_name in fields:
            made.field.add(
                name=field_name, number=number, type=kind, label=label, type_name=type_name
            )

    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    message(
        "Request",
        ("file_containing_symbol", 4, field.TYPE_STRING, one, None),
        ("list_services", 7, field.TYPE_STRING, one, None),
    )
    message(
        "Response",
        ("files", 4, field.TYPE_MESSAGE, one, ".r.Files"),
        ("services", 6, field.TYPE_MESSAGE, one, ".r.Services"),
    )
    message("Files", ("file_descriptor_proto", 1, field.TYPE_BYTES, many, None))
    message("Services", ("service", 1, field.TYPE_MESSAGE, many, ".r.Service"))
    message("Service", ("name", 1, field.TYPE_STRING, one, None))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_class(pool, "r.Request"), message_class(pool, "r.Response")


def reflect(channel, version):
    """The names of all services, and a pool that knows their messages."""
    request, response = reflection_messages()
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
    # The text of list_services is not looked at, but an empty one would not be sent.
    [listed] = call(iter([request(list_services="*")]), timeout=PATIENCE_S)
    names = [service.name for service in listed.services.service]
    files = {}
    questions = [request(file_containing_symbol=name) for name in names]
    for answer in call(iter(questions), timeout=PATIENCE_S):
        for encoded in answer.files.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(encoded)
            files[file.name] = file
    pool = descriptor_pool.DescriptorPool()

    def add(file):
        for dependency in file.dependency:
            if dependency in files:
                add(files.pop(dependency))
        pool.Add(file)

    while files:
        add(files.popitem()[1])
    return names, pool


class Service:
    """The methods of a service, as functions of keyword arguments."""

    def __init__(self, channel, pool, name):
        self._channel = channel
        self._pool = pool
        self._descriptor = pool.FindServiceByName(name)
        self.metadata = []

    def __getattr__(self, name):
        method = self._descriptor.methods_by_name[name]
        request = message_class(self._pool, method.input_type.full_name)
        response = message_class(self._pool, method.output_type.full_name)
        # Of a method descriptor the installed version does not tell whether it streams.
        kind = "unary_stream" if name == "Watch" else "unary_unary"
        call = getattr(self._channel, kind)(
            f"/{self._descriptor.full_name}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        timeout = None if name == "Watch" else PATIENCE_S
        return lambda **fields: call(request(**fields), metadata=self.metadata, timeout=timeout)


def main(address):
    """Signs in, lists, saves, reads, renames, listens and deletes; prints what it saw as JSON."""
    seen = {}
    with grpc.insecure_channel(address) as channel:
        seen["services"], pool = reflect(channel, "v1")
        seen["servicesAlpha"], _ = reflect(channel, "v1alpha")
        health = Service(channel, pool, "grpc.health.v1.Health")
        seen["health"] = health.Check(service="fourfold.v1.FolderService").status
        folder = Service(channel, pool, "fourfold.v1.FolderService")

        signed_in = folder.SignIn(name="Pythia")
        seen["name"] = signed_in.name
        folder.metadata = [("authorization", f"Bearer {signed_in.token}")]
        seen["filesBefore"] = [file.name for file in folder.ListFiles().files]

        events = queue.Queue()
        watch = folder.Watch()

        def listen():
            try:
                for event in watch:
                    events.put((event.event, event.file.name))
            except grpc.RpcError as error:
                events.put((error.code().name, ""))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        ready = 2
        while events.get(timeout=PATIENCE_S)[0] != ready:
            pass

        first = folder.SaveFile(file="delphi.txt", text="one\ntwo\nthree\n")
        seen["servers"] = list(first.servers)
        seen["serverCount"] = first.server_count
        # Two people save at once what they made of the same version.
        folder.SaveFile(file="delphi.txt", text="ONE\ntwo\nthree\n", base_version=first.version)
        folder.SaveFile(file="delphi.txt", text="one\ntwo\nTHREE\n", base_version=first.version)
        read = folder.ReadFile(file="delphi.txt")
        seen["text"] = read.text
        seen["author"] = read.file.created_by
        folder.DeleteFile(file="delphi.txt")
        try:
            folder.ReadFile(file="delphi.txt")
        except grpc.RpcError as error:
            seen["missing"] = [error.code().name, error.details()]

        heard = []
        deleted = 6
        while not heard or heard[-1][0] != deleted:
            heard.append(events.get(timeout=PATIENCE_S))
        watch.cancel()
        listener.join(PATIENCE_S)
        seen["events"] = heard
        seen["watchEnd"] = events.get(timeout=PATIENCE_S)[0]
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1])
