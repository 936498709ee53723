/// What the front end says about itself.
package enum Kiada {
    /// The edition of the book's front end that the pages follow; not the program's version, which `/version` tells.
    package static let edition = "0.5"
}
