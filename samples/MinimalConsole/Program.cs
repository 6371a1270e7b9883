// Claims a slot, shows what is in it, and gives it back:  MinimalConsole REPOSITORY POOL-DIRECTORY
using Microsoft.Extensions.DependencyInjection;
using WorktreePool;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

if (args is not [string repository, string poolDirectory])
{
    Console.Error.WriteLine("usage: MinimalConsole REPOSITORY POOL-DIRECTORY");
    return 64;
}

var services = new ServiceCollection();
services.AddWorktreePool("minimal", options => (options.RepositoryPath, options.PoolDirectory, options.Slots) = (repository, poolDirectory, 2))
    .UseGit().UseFileState();
await using ServiceProvider provider = services.BuildServiceProvider();
IWorktreePool pool = provider.GetRequiredKeyedService<IWorktreePool>("minimal");

await using SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "minimal", Branch = "sample/minimal" });
Console.WriteLine($"{lease.Slot} at {lease.Commit}: {string.Join(' ', Directory.EnumerateFiles(lease.Path).Select(Path.GetFileName).Order())}");
return 0;
