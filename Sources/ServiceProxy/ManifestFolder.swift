import FoundationEssentials
package import Manifests

/// The manifests of a folder (not of folders in it, as `kubectl apply -f` does it), or of one file.
package struct ManifestFolder: Sendable {
    /// Files that a folder may have.
    private static let mostFiles = 5000
    private static let endings = [".yaml", ".yml", ".json"]

    /// What one look at the folder found.
    package struct Contents: Sendable, Equatable {
        /// Documents by file, of the files that could be read.
        package var documents: [String: [ManifestDocument]] = [:]
        /// What is wrong with the others, by file.
        package var errors: [String: ManifestError] = [:]

        package init() {}
    }

    package let path: String

    private let list: @Sendable (String) throws -> [String]

    package init(_ path: String) {
        self.init(path) { try FileManager.default.contentsOfDirectory(atPath: $0) }
    }

    /// - Parameter list: the names in a folder.
    package init(_ path: String, list: @escaping @Sendable (String) throws -> [String]) {
        self.path = path
        self.list = list
    }

    /// The names, sizes, times and inodes of the files: equal while nothing has changed; nil while the folder cannot be read.
    package func fingerprint() -> [String: [String]]? {
        guard let files = try? files() else { return nil }
        var found: [String: [String]] = [:]
        for file in files {
            let attributes = (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
            found[file] = [
                "\(attributes[.size] ?? "")", "\((attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)",
                "\(attributes[.systemFileNumber] ?? "")",
            ]
        }
        return found
    }

    /// Reads everything.
    ///
    /// - Throws: ``ManifestError`` when there is no such folder or file, or the folder cannot be read: then nothing is known of
    ///   what is in it.
    package func read() throws(ManifestError) -> Contents {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ManifestError(
                file: path, line: nil, reason: "there is no such file or folder; name one with --manifests")
        }
        var contents = Contents()
        let files = try files()
        guard files.count <= Self.mostFiles else {
            throw ManifestError(
                file: path, line: nil, reason: "\(files.count) manifests, more than the \(Self.mostFiles) that are read"
            )
        }
        for file in files {
            do throws(ManifestError) {
                contents.documents[file] = try ManifestParser.parse(try Self.text(of: file), file: file)
            } catch {
                contents.errors[file] = error
            }
        }
        return contents
    }

    /// The text of a file that is no larger than a manifest may be.
    package static func text(of file: String) throws(ManifestError) -> String {
        let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int ?? 0
        guard size <= ManifestParser.largestFile else {
            throw ManifestError(
                file: file, line: nil,
                reason:
                    "the file has \(size) bytes, more than the \(ManifestParser.largestFile) that are read; split it")
        }
        do {
            let data = try Data(contentsOf: URL(filePath: file))
            guard let text = String(validating: data, as: UTF8.self) else {
                throw ManifestError(file: file, line: nil, reason: "the file is not UTF-8 text")
            }
            return text
        } catch let error as ManifestError {
            throw error
        } catch {
            throw ManifestError(file: file, line: nil, reason: "cannot be read: \(error)")
        }
    }

    private func files() throws(ManifestError) -> [String] {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder else { return [path] }
        let names: [String]
        do {
            names = try list(path)
        } catch {
            throw ManifestError(
                file: path, line: nil, reason: "the folder cannot be read, so nothing is changed: \(error)")
        }
        return names.filter { name in !name.hasPrefix(".") && Self.endings.contains { name.hasSuffix($0) } }
            .sorted().map { "\(path)/\($0)" }
    }
}
