// Works tickets (shell scripts in a folder) in the slots of a pool, one worker process for each; may be killed at any moment.
//   TicketDispatcher --Tickets DIR --Pool:RepositoryPath DIR --Pool:PoolDirectory DIR [--Pool:Slots N] [--Pool:Keeper:Interval 30s] [--Cycle 00:00:01]
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TicketDispatcher;
using WorktreePool.FileState;
using WorktreePool.Git;
using WorktreePool.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.AddWorktreePool("tickets", builder.Configuration, "Pool").UseGit().UseFileState().AddKeeper();
builder.Services.AddSingleton(new TicketFolder(builder.Configuration["Tickets"] ?? "tickets"));
builder.Services.AddTransient<Worker>();
builder.Services.AddHostedService<Dispatcher>();
using IHost host = builder.Build();
if (builder.Configuration["Work"] is { } ticket)
{
    return await host.Services.GetRequiredService<Worker>().RunAsync(ticket);
}

await host.RunAsync();
return 0;
