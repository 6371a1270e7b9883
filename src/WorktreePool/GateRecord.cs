namespace WorktreePool;

/// <summary>Who is inside a gate of the pool: at most one at a time, for as long as it stays or its process lives.</summary>
/// <param name="Id">Different at every entry, so that who was in before is told from who is in now.</param>
/// <param name="Holder">The process that is inside.</param>
/// <param name="Since">When it entered, UTC.</param>
public sealed record GateRecord(string Id, ProcessIdentity Holder, DateTimeOffset Since);
