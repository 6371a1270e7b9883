// Works tickets (shell scripts in a folder) in the slots of a pool, one worker process for each; may be killed at any moment.
//   TicketDispatcher --Repository DIR --PoolDirectory DIR --Tickets DIR [--Slots N] [--Cycle 00:00:01]
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TicketDispatcher;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.AddWorktreePool("tickets", options =>
{
    options.RepositoryPath = builder.Configuration["Repository"] ?? "";
    options.PoolDirectory = builder.Configuration["PoolDirectory"] ?? "";
    options.Slots = builder.Configuration.GetValue("Slots", 3);
}).UseGit().UseFileState();
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
