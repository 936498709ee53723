import ClusterModel
import ClusterStore
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Streams of changes (kubectl-wire 6).
extension APIResponder {
    /// Chunks that a client may be behind before it is cut off.
    private static var bound: Int { 4096 }

    func watch(
        _ selection: Selection, _ query: Query, _ request: Request, _ channel: any Channel
    ) throws -> Response {
        let form = try AnswerForm(request, query)
        try ListOptionRules.checkWatch(query)
        let version = query["resourceVersion"] ?? ""
        let sendsInitial = query.flag("sendInitialEvents")
        let timeout = try query.number("timeoutSeconds")
        var writer = WatchWriter(selection, form: form, now: now)
        var first: [[UInt8]] = []
        let stream: WatchStream
        let namespace = selection.namespace.isEmpty ? nil : selection.namespace
        if version.isEmpty || version == "0" || sendsInitial {
            let (objects, revision) = store.list(selection.type, namespace: namespace)
            stream = try store.watch([selection.type], namespace: namespace, after: revision)
            for object in objects where selection.matches(object) { first.append(writer.added(object)) }
            if sendsInitial { first.append(writer.initialEventsEnd(revision)) }
        } else {
            guard let revision = UInt64(version) else {
                throw APIError(
                    .badRequest,
                    "invalid resource version: resourceVersion: Invalid value: \(FieldError.quoted(version)): "
                        + "strconv.ParseUint: parsing \(FieldError.quoted(version)): invalid syntax")
            }
            do throws(APIError) {
                stream = try store.watch([selection.type], namespace: namespace, after: revision)
            } catch {
                let line = WatchWriter.error(error)
                return Self.stream(
                    AsyncStream { continuation in
                        continuation.yield(line)
                        continuation.finish()
                    })
            }
        }
        let chunks = Self.chunks(stream, writer, first: first, timeout: timeout, channel: channel)
        return Self.stream(chunks)
    }

    private static func stream(_ chunks: AsyncStream<[UInt8]>) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache, private"],
            body: ResponseBody { writer in
                for await chunk in chunks { try await writer.write(ByteBuffer(bytes: chunk)) }
                try await writer.finish(nil)
            })
    }

    /// The lines of a watch, until the timeout, the client's end, or until it is too slow.
    private static func chunks(
        _ stream: WatchStream, _ writer: WatchWriter, first: [[UInt8]], timeout: Int?, channel: any Channel
    ) -> AsyncStream<[UInt8]> {
        AsyncStream(bufferingPolicy: .bufferingOldest(bound + first.count)) { continuation in
            for line in first { continuation.yield(line) }
            let task = Task { [writer] in
                var writer = writer
                for await event in stream {
                    guard let line = writer.line(for: event) else { continue }
                    if case .dropped = continuation.yield(line) { break }
                }
                continuation.finish()
            }
            if let timeout, timeout > 0 {
                channel.eventLoop.scheduleTask(in: .seconds(Int64(min(timeout, 86400)))) { continuation.finish() }
            }
            channel.closeFuture.whenComplete { _ in continuation.finish() }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// Turns events of the store into lines of a watch.
struct WatchWriter: Sendable {
    private let selection: Selection
    private let form: AnswerForm
    private let now: @Sendable () -> Int64
    private var hasColumns = true

    init(_ selection: Selection, form: AnswerForm, now: @escaping @Sendable () -> Int64) {
        self.selection = selection
        self.form = form
        self.now = now
    }

    mutating func added(_ object: KubeObject) -> [UInt8] { line("ADDED", object) }

    /// nil for an event that does not concern the client: with a selector, changes make objects come and go.
    mutating func line(for event: WatchEvent) -> [UInt8]? {
        let object = event.object
        if selection.isEverything { return line(event.kind.rawValue, object) }
        let isIn = selection.matches(object)
        guard event.kind == .modified else { return isIn ? line(event.kind.rawValue, object) : nil }
        let wasIn = event.previous.map(selection.matches) ?? isIn
        switch (wasIn, isIn) {
        case (false, true): return line("ADDED", object)
        case (true, true): return line("MODIFIED", object)
        case (true, false):
            // As it was when the client knew it, with the version of the change.
            var last = event.previous ?? object
            last.resourceVersion = object.resourceVersion
            return line("DELETED", last)
        case (false, false): return nil
        }
    }

    /// Says that everything that was there has been sent.
    func initialEventsEnd(_ revision: UInt64) -> [UInt8] {
        let metadata: JSONValue = [
            "resourceVersion": .string("\(revision)"), "creationTimestamp": .null,
            "annotations": ["k8s.io/initial-events-end": "true"],
        ]
        return Self.line(
            "BOOKMARK",
            [
                "kind": .string(form == .metadata ? "PartialObjectMetadata" : selection.type.kind),
                "apiVersion": .string(form == .metadata ? "meta.k8s.io/v1" : selection.type.apiVersion),
                "metadata": metadata,
            ])
    }

    static func error(_ error: APIError) -> [UInt8] { line("ERROR", StatusDocument.failure(error)) }

    private mutating func line(_ kind: String, _ object: KubeObject) -> [UInt8] {
        switch form {
        case .plain: return Self.line(kind, EventShape.shaped(object, for: selection.group).json)
        case .metadata: return Self.line(kind, AnswerForm.partial(object))
        case .table(let inclusion):
            defer { hasColumns = false }
            let metadata: JSONValue = ["resourceVersion": .string(object.resourceVersion ?? "")]
            return Self.line(
                kind,
                Table.json(
                    [object], type: selection.type, metadata: metadata, inclusion: inclusion, now: now(),
                    hasColumns: hasColumns))
        }
    }

    private static func line(_ kind: String, _ object: JSONValue) -> [UInt8] {
        (["type": .string(kind), "object": object] as JSONValue).serialized() + [0x0A]
    }
}
