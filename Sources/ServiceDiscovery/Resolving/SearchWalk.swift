package import DNSWire

/// The names that stand behind one name, in the order in which they are tried (rule 6.13).
package enum SearchWalk {
    /// The candidates for `name`, each at most once.
    ///
    /// A name that ends in a dot stands for itself. One with at least `ndots` dots is tried as it is and then in each
    /// search domain, one with fewer in the search domains first. A candidate that gets too long is left out; none are left
    /// when `name` is no domain name at all.
    package static func candidates(for name: String, search: [String], ndots: Int) -> [Name] {
        guard let plain = Name(name) else { return [] }
        if name.hasSuffix(".") { return [plain] }
        let searched = search.compactMap { domain in Name(domain).flatMap { plain.appending($0) } }
        let dots = name.utf8.count { $0 == UInt8(ascii: ".") }
        var seen: Set<Name> = []
        return (dots >= ndots ? [plain] + searched : searched + [plain]).filter { seen.insert($0).inserted }
    }
}
