import ClusterModel
import ClusterStore
import ControlPlane
import Foundation
import KiadaTesting
import NetTypes
import StorePersistence
import Testing

@Suite("Objects outlive the process")
struct SQLiteJournalTests {
    private func open(_ folder: TemporaryFolder) throws -> (store: Store, journal: SQLiteJournal) {
        let journal = try SQLiteJournal(path: folder.path + "/objects.db")
        let contents = try journal.contents()
        let range = try #require(CIDR("10.96.0.0/16"))
        let admission = ClusterAdmission(ClusterNetworks(serviceRanges: [range]))
        admission.restore(contents.objects.filter { $0.type == .services })
        let source = SystemStoreSource { 1_700_000_000 }
        return (Store(admission: admission, source: source, journal: journal, contents: contents), journal)
    }

    private func service(_ name: String, _ spec: JSONValue = ["ports": [["port": 80]]]) -> KubeObject {
        var service = KubeObject(.services, namespace: "kiada", name: name)
        service.json["spec"] = spec
        return service
    }

    @Test("objects, resourceVersions, addresses and node ports are as they were")
    func reopening() throws {
        let folder = try TemporaryFolder("journal")
        let first = try open(folder)
        _ = try first.store.create(KubeObject(.namespaces, name: "kiada"))
        let quote = try first.store.create(service("quote", ["type": "NodePort", "ports": [["port": 80]]]))
        let gone = try first.store.create(service("gone"))
        _ = try first.store.delete(gone.key)
        let revision = first.store.list(.services).revision
        try first.journal.close()

        let second = try open(folder)
        #expect(second.store.get(quote.key) == quote)
        #expect(second.store.get(gone.key) == nil)
        #expect(second.store.list(.services).revision == revision)
        // What was given is still taken, and what follows is newer.
        let address = try #require(quote.json["spec"]?["clusterIP"])
        #expect(throws: APIError.self) {
            try second.store.create(service("thief", ["clusterIP": address, "ports": [["port": 80]]]))
        }
        let next = try second.store.create(service("next"))
        #expect(UInt64(next.resourceVersion ?? "") == revision + 1)
        // A watch from before is told to list again.
        #expect(throws: APIError.self) { try second.store.watch([.services], after: 1) }
        try second.journal.close()
    }

    @Test("a write that cannot be kept is refused and changes nothing")
    func refusal() throws {
        let folder = try TemporaryFolder("journal")
        let (store, journal) = try open(folder)
        _ = try store.create(KubeObject(.namespaces, name: "kiada"))
        let revision = store.list(.services).revision
        try journal.close()
        #expect(throws: APIError.self) {
            try store.create(service("quote", ["clusterIP": "10.96.0.20", "ports": [["port": 80]]]))
        }
        #expect(store.get(service("quote").key) == nil)
        #expect(store.list(.services).revision == revision)
    }

    @Test("a file that is no database is named, with the remedy")
    func broken() throws {
        let folder = try TemporaryFolder("journal")
        let path = try folder.write(String(repeating: "nonsense ", count: 500), to: "objects.db")
        let error = #expect(throws: SQLiteJournal.Failure.self) { try SQLiteJournal(path: path) }
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("Move the file away") == true)
    }

    @Test("kill -9 at any moment: every acknowledged write is there, with its address")
    func killed() async throws {
        let folder = try TemporaryFolder("journal")
        let path = folder.path + "/objects.db"
        let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = String(runner[..<(runner.lastIndex(of: "/") ?? runner.startIndex)]) + "/StoreWriter"
        var acknowledged: [String: String] = [:]
        for round in 1...12 {
            let writer = try ChildProcess(program, [path])
            let wanted = round * 37
            #expect(await eventually { writer.output.utf8.count { $0 == 0x0A } > wanted }, "\(writer.errors)")
            writer.signal(SIGKILL)
            let exit = await writer.wait()
            #expect(exit.code == 128 + SIGKILL)
            // The last line may be cut off by the kill; then its write was not yet acknowledged to anybody.
            for line in exit.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                let words = line.split(separator: " ").map(String.init)
                acknowledged[words[0]] = words[1]
            }
            let journal = try SQLiteJournal(path: path)
            let services = try journal.contents().objects.filter { $0.type == .services }.map(Service.init)
            try journal.close()
            let kept = Dictionary(services.map { ($0.name, $0.clusterIPs.first ?? "") }) { first, _ in first }
            for (name, address) in acknowledged { #expect(kept[name] == address, "\(name) of round \(round)") }
            #expect(Set(kept.values).count == kept.count)
        }
        #expect(acknowledged.count > 2000)
    }
}
