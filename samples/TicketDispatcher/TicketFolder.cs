namespace TicketDispatcher;

/// <summary>Tickets are files NAME.sh. Finishing one is a rename, so a ticket is open or finished whatever is killed when.</summary>
internal sealed class TicketFolder(string path)
{
    public IEnumerable<string> Open() => Directory.EnumerateFiles(path, "*.sh").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    public string Script(string ticket) => Path.Combine(Path.GetFullPath(path), ticket + ".sh");

    public bool IsOpen(string ticket) => File.Exists(Script(ticket));

    public void Finish(string ticket, bool succeeded)
    {
        string to = Directory.CreateDirectory(Path.Combine(path, succeeded ? "done" : "failed")).FullName;
        File.Move(Script(ticket), Path.Combine(to, ticket + ".sh"));
    }
}
