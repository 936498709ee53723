import ClusterModel
import ClusterStore
import Testing

struct StoreTests {
    private let store = Store(admission: OpenAdmission(), source: SystemStoreSource { 0 })
    private let quote = KubeObject(.services, namespace: "default", name: "quote")

    init() throws { _ = try store.create(KubeObject(.namespaces, name: "default")) }

    private func error(_ body: () throws -> Void) -> APIError? {
        do { try body() } catch { return error as? APIError }
        return nil
    }

    @Test("1.3: a create sets uid, time and resourceVersion; a write that changes nothing keeps the version")
    func metadata() throws {
        let created = try store.create(quote)
        #expect(created.uid?.count == 36)
        #expect(created.creationTimestamp == "1970-01-01T00:00:00Z")
        #expect(try store.update(created).resourceVersion == created.resourceVersion)
        var changed = created
        changed.labels = ["a": "b"]
        let version = try store.update(changed).resourceVersion
        #expect(
            try #require(version.flatMap { UInt64($0) })
                > (try #require(created.resourceVersion.flatMap { UInt64($0) })))
    }

    @Test("1.2: five characters of the alphabet without vowels are added to a generateName that is cut to 58 bytes")
    func generatedNames() throws {
        var base = quote
        base.name = ""
        base.json["metadata"]?["name"] = nil
        base.json["metadata"]?["generateName"] = .string("quote-" + String(repeating: "a", count: 80))
        var names: Set<String> = []
        for _ in 0..<20 {
            let name = try store.create(base).name
            #expect(name.utf8.count == 63 && name.hasPrefix("quote-aaa"))
            #expect(name.suffix(5).allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
            names.insert(name)
        }
        #expect(names.count == 20)
        base.json["metadata"]?["generateName"] = nil
        let refused = error { _ = try store.create(base) }
        #expect(
            refused?.message
                == #"Service "" is invalid: metadata.name: Required value: name or generateName is required"#)
    }

    @Test("1.3: an uid is never used again, and a creation time of null in a manifest means nothing")
    func uids() throws {
        var manifest = quote
        manifest.json["metadata"]?["creationTimestamp"] = .null
        let first = try store.create(manifest)
        #expect(first.creationTimestamp == "1970-01-01T00:00:00Z" && first.generation == nil)
        _ = try store.delete(first.key)
        #expect(try store.create(manifest).uid != first.uid)
    }

    @Test("1.4: an update without resourceVersion is made whatever is stored")
    func unconditional() throws {
        _ = try store.create(quote)
        var changed = quote
        for value in ["1", "2"] {
            changed.labels = ["a": value]
            #expect(try store.update(changed).labels == ["a": value])
        }
    }

    @Test("a uid is a random UUID of version 4 in lower case")
    func uid() {
        let source = SystemStoreSource { 0 }
        let uids = Set((0..<1000).map { _ in source.uid() })
        #expect(uids.count == 1000)
        for uid in uids {
            #expect(uid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
    }

    @Test("1.4: a stale resourceVersion is a conflict with the API server's words")
    func conflict() throws {
        let first = try store.create(quote)
        var second = first
        second.labels = ["a": "1"]
        _ = try store.update(second)
        let error = error { _ = try store.update(second) }
        #expect(error?.reason == .conflict)
        #expect(
            error?.message.hasPrefix(
                "Operation cannot be fulfilled on services \"quote\": the object has been modified") == true)
    }

    @Test("1.8: exists, missing, missing namespace")
    func refusals() throws {
        _ = try store.create(quote)
        #expect(error { _ = try store.create(quote) }?.message == "services \"quote\" already exists")
        let other = ObjectKey(.endpointslices, namespace: "default", name: "y")
        #expect(error { _ = try store.delete(other) }?.message == "endpointslices.discovery.k8s.io \"y\" not found")
        let elsewhere = KubeObject(.services, namespace: "kiada", name: "x")
        #expect(error { _ = try store.create(elsewhere) }?.message == "namespaces \"kiada\" not found")
    }

    @Test("1.3: an update keeps the status, and a status update keeps the spec")
    func status() throws {
        var object = try store.create(quote)
        object.json["spec"] = ["a": 1]
        object.json["status"] = ["b": 2]
        let updated = try store.update(object)
        #expect(updated.json["status"] == nil)
        object = updated
        object.json["spec"] = ["a": 9]
        object.json["status"] = ["b": 2]
        let after = try store.updateStatus(object)
        #expect(after.json["spec"]?["a"]?.intValue == 1)
        #expect(after.json["status"]?["b"]?.intValue == 2)
    }

    @Test("A watcher sees what is there, then every change in order; from an old revision it sees what it missed")
    func watch() async throws {
        let created = try store.create(quote)
        var all = try store.watch([.services]).makeAsyncIterator()
        let revision = try #require(created.resourceVersion.flatMap { UInt64($0) })
        var later = try store.watch([.services], after: revision).makeAsyncIterator()
        _ = try store.modify(created.key) { $0.labels = ["x": "y"] }
        _ = try store.delete(created.key)
        var kinds: [WatchEvent.Kind?] = []
        for _ in 0..<3 { kinds.append(await all.next()?.kind) }
        #expect(kinds == [.added, .modified, .deleted])
        #expect(await later.next()?.kind == .modified)
    }

    @Test("A watcher that is too far behind is ended, and the writer goes on")
    func farBehind() async throws {
        let created = try store.create(quote)
        let slow = try store.watch([.services])
        let writes = Store.watchBound + 100
        for number in 0..<writes { _ = try store.modify(created.key) { $0.labels = ["n": "\(number)"] } }
        var seen = 0
        for await _ in slow { seen += 1 }
        // The object that was there when the watch began does not count.
        #expect(seen == Store.watchBound + 1)
    }

    @Test("The history is bounded by bytes, too: large objects are forgotten sooner, and a watch from before is told")
    func largeHistory() throws {
        var object = KubeObject(.configmaps, namespace: "default", name: "large")
        object.json["data"] = ["text": .string(String(repeating: "x", count: 1 << 20))]
        let first = try #require(try store.create(object).resourceVersion.flatMap { UInt64($0) })
        for number in 0..<40 {
            object.labels = ["n": "\(number)"]
            _ = try store.update(object)
        }
        #expect(throws: Never.self) { try store.watch([.configmaps], after: first) }
        for number in 40..<80 {
            object.labels = ["n": "\(number)"]
            _ = try store.update(object)
        }
        let refused = error { _ = try store.watch([.configmaps], after: first) }
        #expect(refused?.reason == .expired)
        let revision = store.list(.configmaps).revision
        #expect(throws: Never.self) { try store.watch([.configmaps], after: revision) }
    }

    @Test("A watch begins with all present objects, even more than its bound")
    func manyPresent() async throws {
        let count = Store.watchBound + 10
        for number in 0..<count {
            _ = try store.create(KubeObject(.configmaps, namespace: "default", name: "c-\(number)"))
        }
        var events = try store.watch([.configmaps]).makeAsyncIterator()
        for _ in 0..<count { #expect(await events.next()?.kind == .added) }
    }

    @Test("Watchers that are cancelled in the middle of writes hold up nobody")
    func cancelled() async throws {
        let created = try store.create(quote)
        let store = store
        for round in 0..<200 {
            let watchers = try (0..<8).map { _ in
                let stream = try store.watch([.services])
                return Task { for await _ in stream {} }
            }
            let writer = Task {
                for number in 0..<20 { _ = try store.modify(created.key) { $0.labels = ["n": "\(round).\(number)"] } }
            }
            for watcher in watchers { watcher.cancel() }
            try await writer.value
            for watcher in watchers { await watcher.value }
        }
    }

    @Test("A pod that is deleted stays until its runtime deletes it with no grace")
    func graceful() throws {
        let pod = try store.create(KubeObject(.pods, namespace: "default", name: "p"))
        #expect(try store.delete(pod.key).deletionTimestamp != nil)
        #expect(store.get(pod.key)?.json["metadata"]?["deletionGracePeriodSeconds"]?.intValue == 30)
        #expect(error { _ = try store.delete(pod.key, gracePeriod: 0, uid: "another") }?.reason == .conflict)
        _ = try store.delete(pod.key, gracePeriod: 0)
        #expect(store.get(pod.key) == nil)
    }

    @Test(
        "Times are RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_532_645, "2026-11-24T15:04:05Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ])
    func times(seconds: Int64, text: String) {
        #expect(Timestamp.text(unixSeconds: seconds) == text)
    }

    @Test(
        "a modification says what the object was before, to who watches and, where its labels changed, to who comes later"
    )
    func previous() async throws {
        let stream = try store.watch([.services], after: 1)
        let first = try store.create(quote)
        let same = try store.modify(first.key) { $0.json["spec"] = ["a": "b"] }
        _ = try store.modify(first.key) { $0.labels = ["a": "b"] }
        var live: [KubeObject?] = []
        for await event in stream {
            live.append(event.previous)
            if live.count == 3 { break }
        }
        #expect(live == [nil, first, same])
        var later: [KubeObject?] = []
        for await event in try store.watch([.services], after: 1) {
            later.append(event.previous)
            if later.count == 3 { break }
        }
        #expect(later == [nil, nil, same])
    }

    @Test(
        "[sig-network] Services should complete a service status lifecycle: annotations go with the status, a dry run nowhere"
    )
    func statusLifecycle() throws {
        let created = try store.create(quote)
        var changed = created
        changed.json["status"] = ["a": "b"]
        changed.json["spec"] = ["lost": true]
        changed.annotations = ["patchedstatus": "true"]
        changed.uid = "another"
        _ = try store.updateStatus(changed, isDryRun: true)
        #expect(store.get(quote.key) == created)
        let stored = try store.updateStatus(changed)
        #expect(stored.json["status"] == ["a": "b"] && stored.json["spec"] == nil)
        #expect(stored.annotations == ["patchedstatus": "true"] && stored.uid == created.uid)
        // A pod's owners, and a Deployment's labels, are not for who writes a status.
        var pod = try store.create(KubeObject(.pods, namespace: "default", name: "p"))
        pod.ownerReferences = [OwnerReference(controller: created)]
        #expect(try store.updateStatus(pod).ownerReferences.isEmpty)
        var deployment = try store.create(KubeObject(.deployments, namespace: "default", name: "d"))
        deployment.labels = ["a": "b"]
        #expect(try store.updateStatus(deployment).labels.isEmpty)
    }

    @Test("[sig-api-machinery] Namespaces should apply a finalizer to a Namespace")
    func finalizers() throws {
        var namespace = try store.create(KubeObject(.namespaces, name: "n"))
        #expect(namespace.json["spec"] == ["finalizers": ["kubernetes"]])
        // An update of the object leaves them as they are.
        namespace.json["spec"] = ["finalizers": []]
        #expect(try store.update(namespace).json["spec"] == ["finalizers": ["kubernetes"]])
        namespace = try #require(store.get(namespace.key))
        namespace.json["spec"] = ["finalizers": ["kubernetes", "example.com/wait"]]
        _ = try store.finalize(namespace)
        let ending = try store.delete(namespace.key)
        #expect(ending.json["status"]?["phase"] == "Terminating")
        #expect(ending.json["spec"] == ["finalizers": ["example.com/wait"]])
        var free = ending
        free.json["spec"] = ["finalizers": []]
        _ = try store.finalize(free)
        #expect(store.get(namespace.key) == nil)
    }

    @Test("[sig-api-machinery] Namespaces: nothing new comes into one that is being deleted, and programs are told why")
    func terminating() throws {
        _ = try store.create(KubeObject(.namespaces, name: "n"))
        _ = try store.create(KubeObject(.configmaps, namespace: "n", name: "c"))
        _ = try store.delete(ObjectKey(.namespaces, name: "n"))
        let refused = error { _ = try store.create(KubeObject(.configmaps, namespace: "n", name: "late")) }
        #expect(
            refused?.otherCauses == [
                APIError.Cause(
                    reason: "NamespaceTerminating", message: "namespace n is being terminated",
                    field: "metadata.namespace")
            ])
    }
}
