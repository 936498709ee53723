import ClusterModel
import ClusterStore
import KiadaTesting
import Manifests
import ServiceProxy
import Testing

/// Refuses, as a cluster does, to change the spec of a pod.
private final class FixedPods: Admission {
    func admit(_ object: inout KubeObject, replacing old: KubeObject?, isDryRun: Bool) throws(APIError) {
        guard object.type == .pods, let old, old.json["spec"] != object.json["spec"] else { return }
        throw APIError(.invalid, "no", causes: [.forbidden("spec", "pod updates may not change fields")])
    }

    func released(_ object: KubeObject) {}
}

struct ManifestApplierTests {
    private let store = Store(admission: OpenAdmission(), source: SystemStoreSource { 1_000_000 })
    private let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: kiada}, spec: {a: 1}}"

    private func contents(_ files: [String: String]) throws -> ManifestFolder.Contents {
        var contents = ManifestFolder.Contents()
        for (file, text) in files {
            do throws(ManifestError) {
                contents.documents[file] = try ManifestParser.parse(text, file: file)
            } catch {
                contents.errors[file] = error
            }
        }
        return contents
    }

    private func namespaceAnd(_ text: String) -> [String: String] {
        ["z.yaml": "{apiVersion: v1, kind: Namespace, metadata: {name: kiada}}", "a.yaml": text]
    }

    @Test("A namespace is created before what is in it, whatever the files' order; a second pass writes nothing")
    func order() throws {
        var applier = ManifestApplier(store)
        #expect(applier.apply(try contents(namespaceAnd(pod))).problems == [])
        let revision = store.list(.pods).revision
        #expect(applier.apply(try contents(namespaceAnd(pod))).problems == [])
        #expect(store.list(.pods).items.map(\.name) == ["p"])
        #expect(store.list(.pods).revision == revision)
    }

    @Test("A file that breaks keeps its last good state and is named with its line")
    func broken() throws {
        var applier = ManifestApplier(store)
        _ = applier.apply(try contents(namespaceAnd(pod)))
        let report = applier.apply(try contents(namespaceAnd("a: [1, 2\nb: 3\n")))
        #expect(report.problems.first?.hasPrefix("a.yaml:2") == true)
        #expect(report.problems.first?.hasSuffix("(its last good state stays)") == true)
        #expect(store.list(.pods).items.count == 1)
    }

    @Test("A document that goes deletes its object; a pod is deleted with its grace period")
    func removal() throws {
        var applier = ManifestApplier(store)
        _ = applier.apply(try contents(namespaceAnd(pod)))
        _ = applier.apply(try contents(namespaceAnd("")))
        #expect(store.list(.pods).items.first?.deletionTimestamp == "1970-01-12T13:46:40Z")
    }

    @Test("A changed pod is replaced once the old one has ended")
    func replacement() throws {
        var applier = ManifestApplier(store)
        _ = applier.apply(try contents(namespaceAnd(pod)))
        let changed = try contents(namespaceAnd(pod.replacing("a: 1", with: "a: 2")))
        #expect(applier.apply(changed).isIncomplete)
        let key = ObjectKey(.pods, namespace: "kiada", name: "p")
        _ = try store.delete(key, gracePeriod: 0)
        #expect(!applier.apply(changed).isIncomplete)
        #expect(store.get(key)?.json["spec"]?["a"]?.intValue == 2)
    }

    @Test("A pod that an earlier run has left with another spec is replaced, too")
    func leftBehind() throws {
        let store = Store(admission: FixedPods(), source: SystemStoreSource { 1_000_000 })
        var before = ManifestApplier(store)
        _ = before.apply(try contents(namespaceAnd(pod)))
        var applier = ManifestApplier(store)
        let changed = try contents(namespaceAnd(pod.replacing("a: 1", with: "a: 2")))
        let report = applier.apply(changed)
        #expect(report.isIncomplete)
        #expect(report.problems == [])
        let key = ObjectKey(.pods, namespace: "kiada", name: "p")
        _ = try store.delete(key, gracePeriod: 0)
        #expect(!applier.apply(changed).isIncomplete)
        #expect(store.get(key)?.json["spec"]?["a"]?.intValue == 2)
    }

    @Test("Kinds that are not kept warn; a second definition and a missing namespace are problems with their place")
    func problems() throws {
        var applier = ManifestApplier(store)
        let report = applier.apply(
            try contents([
                "a.yaml": "{apiVersion: x/v1, kind: Odd, metadata: {name: o}}\n---\n\(pod)\n---\n\(pod)"
            ]))
        #expect(report.warnings == ["a.yaml:1: Odd (x/v1) is not a kind that is kept here; it is left out"])
        #expect(report.problems.contains { $0.contains("already defined at a.yaml:3") })
        #expect(report.problems.contains { $0.hasSuffix("namespaces \"kiada\" not found") })
    }

    @Test("A folder is read without the folders in it, and a change of a file changes its fingerprint")
    func folder() throws {
        let temporary = try TemporaryFolder()
        try temporary.write(pod, to: "p.yaml")
        try temporary.write("no manifest", to: "notes.txt")
        let folder = ManifestFolder(temporary.path)
        #expect(try folder.read().documents.count == 1)
        let before = folder.fingerprint()
        #expect(folder.fingerprint() == before)
        try temporary.write(pod + "\n", to: "p.yaml")
        #expect(folder.fingerprint() != before)
        #expect(throws: ManifestError.self) { try ManifestFolder(temporary.path + "/none").read() }
    }

    @Test("A folder that cannot be listed is an error, not an empty folder")
    func unreadable() throws {
        let temporary = try TemporaryFolder()
        try temporary.write(pod, to: "p.yaml")
        let folder = ManifestFolder(temporary.path) { _ in throw CancellationError() }
        #expect(folder.fingerprint() == nil)
        let error = #expect(throws: ManifestError.self) { try folder.read() }
        #expect(error.map { "\($0)".contains("the folder cannot be read") } == true)
        // A single file needs no list.
        #expect(try ManifestFolder(temporary.path + "/p.yaml") { _ in [] }.read().documents.count == 1)
    }

    @Test("Every manifest of deploy/ can be read and applied")
    func deploy() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        var applier = ManifestApplier(store)
        let contents = try ManifestFolder("/\(root)/deploy").read()
        #expect(applier.apply(contents) == ManifestApplier.Report())
        #expect(store.list(.pods, namespace: "kiada").items.count == 9)
        #expect(store.list(.services, namespace: "kiada").items.map(\.name) == ["kiada", "quiz", "quote"])
    }
}
