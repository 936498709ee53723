package import ClusterModel
package import ClusterStore
import FoundationEssentials
import GRDB

/// Keeps the store's writes in an SQLite file (WAL).
///
/// A write that has returned outlives the process, at whatever moment it is killed: it is in the kernel's hands. A loss of
/// power may cost the last ones, never the file.
package final class SQLiteJournal: StoreJournal {
    /// Why a file cannot be used.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let queue: DatabaseQueue

    /// Opens or makes the file.
    package init(path: String) throws(Failure) {
        do {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(5)
            // Nobody else has the file while we run (InstanceLock), so that locks need not be taken again for each write.
            configuration.prepareDatabase {
                try $0.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA locking_mode = EXCLUSIVE")
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { database in
                try database.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS object (
                          type TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, json BLOB NOT NULL,
                          PRIMARY KEY (type, namespace, name)) WITHOUT ROWID;
                        CREATE TABLE IF NOT EXISTS revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
                        INSERT OR IGNORE INTO revision VALUES (1, 0);
                        """)
            }
        } catch {
            throw Failure(
                description: "the objects in \(path) cannot be used: \(error). Move the file away to begin with none.")
        }
    }

    package func write(_ key: ObjectKey, _ object: KubeObject?, revision: UInt64) throws {
        guard let object else { return try remove(key, revision: revision) }
        let json = Data(object.json.serialized())
        // One statement is a transaction by itself.
        try queue.writeWithoutTransaction { database in
            try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO object (type, namespace, name, json) VALUES (?, ?, ?, ?)"
            ).execute(arguments: [key.type.rawValue, key.namespace, key.name, json])
        }
    }

    private func remove(_ key: ObjectKey, revision: UInt64) throws {
        try queue.write { database in
            try database.cachedStatement(sql: "DELETE FROM object WHERE type = ? AND namespace = ? AND name = ?")
                .execute(arguments: [key.type.rawValue, key.namespace, key.name])
            // An object that is kept has the revision of its write in it.
            try database.cachedStatement(sql: "UPDATE revision SET value = ?").execute(arguments: [Int64(revision)])
        }
    }

    /// Everything that was kept.
    package func contents() throws(Failure) -> StoreContents {
        do {
            return try queue.read { database in
                var contents = StoreContents()
                contents.revision = UInt64(try Int64.fetchOne(database, sql: "SELECT value FROM revision") ?? 0)
                let rows = try Data.fetchCursor(database, sql: "SELECT json FROM object")
                // As many as there may be pods, which Endpoints and slices name: both have them in their order.
                var sharing = ValueSharing(most: 262_144)
                while let data = try rows.next() {
                    var object = KubeObject(try JSONValue(parsing: Array(data)))
                    sharing.share(&object)
                    contents.revision = max(contents.revision, object.resourceVersion.flatMap(UInt64.init) ?? 0)
                    contents.objects.append(object)
                }
                return contents
            }
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// Closes the file.
    package func close() throws { try queue.close() }
}
