using System;
using System.Configuration;
using System.Security.Principal;
using System.Web;

/// <summary>
/// For ASP.NET of the .NET Framework: who a header of Écluse says it is becomes User, and what a second one lists its roles.
/// </summary>
/// <remarks>
/// Put it into App_Code or a library of bin, and into web.config. Nobody but the gateway may reach the application: whoever
/// does writes the header as they like. ASP.NET has decoded the header by then, as
/// <c>&lt;globalization requestHeaderEncoding&gt;</c> says, which is UTF-8 where it says nothing.
/// </remarks>
public sealed class EcluseHeaderModule : IHttpModule
{
    public void Init(HttpApplication application)
    {
        application.AuthenticateRequest += delegate(object sender, EventArgs arguments)
        {
            Tell(((HttpApplication)sender).Context);
        };
    }

    public void Dispose()
    {
    }

    private static void Tell(HttpContext context)
    {
        string name = context.Request.Headers[Setting("ecluse:header", "X-Remote-User")];
        if (String.IsNullOrEmpty(name))
        {
            // What another module took for signed in is nobody here.
            context.User = new GenericPrincipal(new GenericIdentity(""), new string[0]);
            return;
        }
        string groups = Setting("ecluse:groups", "");
        string listed = groups == "" ? "" : context.Request.Headers[groups] ?? "";
        string[] separators = { Setting("ecluse:separator", ",") };
        string[] roles = listed.Split(separators, StringSplitOptions.RemoveEmptyEntries);
        context.User = new GenericPrincipal(new GenericIdentity(name, "Ecluse"), roles);
    }

    private static string Setting(string key, string usual)
    {
        return ConfigurationManager.AppSettings[key] ?? usual;
    }
}
