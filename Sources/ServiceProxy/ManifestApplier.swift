import ClusterModel
package import ClusterStore
import ControlPlane
import Manifests

/// Keeps the store as the manifests say: what appears is created, what changes is updated, what goes is deleted.
///
/// A file that cannot be read keeps its last good state; a document that is refused does not stop the others.
package struct ManifestApplier {
    /// What one pass found wrong or worth saying, in sentences.
    package struct Report: Sendable, Equatable {
        package var problems: [String] = []
        package var warnings: [String] = []
        /// Something has to wait for another thing to end, such as a pod that is being replaced.
        package var isIncomplete = false

        package init() {}
    }

    /// Says in which file an object is written.
    package static let originAnnotation = "kiada.dev/manifest"

    private let store: Store
    /// What each file said when it was last good.
    private var lastGood: [String: [ManifestDocument]] = [:]
    private var isFirst = true
    /// The objects that came from manifests, as they were written there.
    private var applied: [ObjectKey: KubeObject] = [:]

    package init(_ store: Store) { self.store = store }

    /// Brings the store to what `contents` says.
    package mutating func apply(_ contents: ManifestFolder.Contents) -> Report {
        var report = Report()
        for (file, error) in contents.errors.sorted(by: { $0.key < $1.key }) {
            let kept = lastGood[file] == nil ? "" : " (its last good state stays)"
            report.problems.append("\(error)\(kept)")
        }
        var current = contents.documents
        for file in contents.errors.keys { current[file] = lastGood[file] }
        lastGood = current

        var wanted: [ObjectKey: ManifestDocument] = [:]
        for document in current.sorted(by: { $0.key < $1.key }).flatMap(\.value) {
            guard let key = key(of: document, &report) else { continue }
            if let other = wanted[key] {
                report.problems.append(
                    "\(document.place): \(key) is already defined at \(other.place); this one is left out")
            } else {
                wanted[key] = document
            }
        }
        let orphans = isFirst ? orphans(wanted, besides: contents) : []
        isFirst = false
        for key in (applied.keys.filter { wanted[$0] == nil } + orphans).sorted(by: Self.isDeletedFirst) {
            delete(key, &report)
            applied[key] = nil
        }
        for (key, document) in wanted.sorted(by: { Self.isCreatedFirst($0.key, $1.key) }) {
            put(key, document, &report)
        }
        return report
    }

    private func key(of document: ManifestDocument, _ report: inout Report) -> ObjectKey? {
        let object = document.object
        guard let type = object.type else {
            report.warnings.append(
                "\(document.place): \(object.kind) (\(object.apiVersion)) is not a kind that is kept here; it is left out"
            )
            return nil
        }
        guard !object.name.isEmpty else {
            report.problems.append(
                "\(document.place): \(object.kind): metadata.name: Required value: manifests need a name")
            return nil
        }
        let namespace = type.isNamespaced ? (object.namespace.isEmpty ? "default" : object.namespace) : ""
        return ObjectKey(type, namespace: namespace, name: object.name)
    }

    private mutating func put(_ key: ObjectKey, _ document: ManifestDocument, _ report: inout Report) {
        var object = document.object
        if key.type.isNamespaced { object.namespace = key.namespace }
        object.annotations[Self.originAnnotation] = document.file
        let present = store.get(key)
        if present != nil, applied[key] == object, present?.deletionTimestamp == nil { return }
        do throws(APIError) {
            if let present {
                if key.type == .pods, applied[key] != nil, applied[key] != object || present.deletionTimestamp != nil {
                    return replace(key, &report)
                }
                object.resourceVersion = nil
                _ = try store.update(object)
            } else {
                _ = try store.create(object)
            }
            applied[key] = object
        } catch {
            if key.type == .pods, error.asksForAnotherPod {
                // As it was left by an earlier run, or by somebody else.
                replace(key, &report)
            } else {
                report.problems.append("\(document.place): \(error.message)")
            }
        }
    }

    /// A pod's spec cannot change: the pod is replaced, once the old one has ended.
    private func replace(_ key: ObjectKey, _ report: inout Report) {
        if store.get(key)?.deletionTimestamp == nil { delete(key, &report) }
        report.isIncomplete = true
    }

    /// What an earlier run made of documents that are gone; files that cannot be read now are left in peace.
    private func orphans(_ wanted: [ObjectKey: ManifestDocument], besides contents: ManifestFolder.Contents)
        -> [ObjectKey]
    {
        ResourceType.allCases.flatMap { store.list($0).items }.filter { object in
            guard let file = object.annotations[Self.originAnnotation] else { return false }
            return wanted[object.key] == nil && contents.errors[file] == nil
        }
        .map(\.key)
    }

    private func delete(_ key: ObjectKey, _ report: inout Report) {
        do throws(APIError) {
            _ = try store.delete(key)
        } catch {
            if error.reason != .notFound { report.problems.append("\(key): \(error.message)") }
        }
    }

    /// Namespaces before what is in them, Services before pods: a container gets the variables of the Services that
    /// exist when it starts (semantics 5.1).
    private static func isCreatedFirst(_ left: ObjectKey, _ right: ObjectKey) -> Bool {
        (rank(left.type), left) < (rank(right.type), right)
    }

    private static func isDeletedFirst(_ left: ObjectKey, _ right: ObjectKey) -> Bool { isCreatedFirst(right, left) }

    private static func rank(_ type: ResourceType) -> Int {
        switch type {
        case .namespaces: 0
        case .nodes: 1
        case .services: 2
        case .pods: 4
        default: 3
        }
    }
}
