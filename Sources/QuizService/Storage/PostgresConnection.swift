import CPostgres
import Glibc

/// One connection to PostgreSQL, used by one thread at a time.
final class PostgresConnection: @unchecked Sendable {  // a pool hands it to one thread at a time
    private let url: String
    private var handle: OpaquePointer?

    /// - Parameter url: `postgres://user:password@host:port/database`.
    init(url: String) { self.url = url }

    deinit { PQfinish(handle) }

    /// Runs a statement with texts for `$1`, `$2`, ..., and answers the rows as texts.
    ///
    /// A connection that is broken is made anew, once; the statement has to bear being run twice.
    func run(_ sql: String, _ parameters: [String] = []) throws(QuizStoreError) -> [[String]] {
        if handle == nil || PQstatus(handle) != CONNECTION_OK {
            try connect()
            return try runOnce(sql, parameters)
        }
        do {
            return try runOnce(sql, parameters)
        } catch {
            guard PQstatus(handle) != CONNECTION_OK else { throw error }
            try connect()
            return try runOnce(sql, parameters)
        }
    }

    private func connect() throws(QuizStoreError) {
        PQfinish(handle)
        let settings = [
            "dbname": url, "connect_timeout": "3", "application_name": "quiz",
            "options": "-c statement_timeout=3000 -c idle_in_transaction_session_timeout=10000",
        ]
        let keys = settings.keys.sorted()
        var names = keys.map { UnsafePointer(strdup($0)) } + [nil]
        var values = keys.map { UnsafePointer(strdup(settings[$0] ?? "")) } + [nil]
        defer { for text in names + values { free(UnsafeMutablePointer(mutating: text)) } }
        // 1: dbname may be a whole connection string.
        handle = PQconnectdbParams(&names, &values, 1)
        // Notices such as "relation exists, skipping" are no news.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQstatus(handle) == CONNECTION_OK else {
            let reason = message()
            PQfinish(handle)
            handle = nil
            throw QuizStoreError(reason)
        }
    }

    /// Runs several statements as one transaction.
    func run(script: String) throws(QuizStoreError) {
        if handle == nil || PQstatus(handle) != CONNECTION_OK { try connect() }
        let result = PQexec(handle, script)
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else { throw QuizStoreError(message()) }
    }

    private func runOnce(_ sql: String, _ parameters: [String]) throws(QuizStoreError) -> [[String]] {
        var values = parameters.map { UnsafePointer(strdup($0)) } as [UnsafePointer<CChar>?]
        defer { for text in values { free(UnsafeMutablePointer(mutating: text)) } }
        let result = PQexecParams(handle, sql, Int32(parameters.count), nil, &values, nil, nil, 0)
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK: return []
        case PGRES_TUPLES_OK:
            return (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { column in String(cString: PQgetvalue(result, row, column)) }
            }
        default: throw QuizStoreError(message())
        }
    }

    private func message() -> String {
        let text = handle.map { String(cString: PQerrorMessage($0)) } ?? "no connection"
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
