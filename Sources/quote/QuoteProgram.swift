import QuoteService
import ServiceKit

@main
enum QuoteProgram {
    static func main() async { await ServiceMain.run(QuoteCommand.self) }
}
